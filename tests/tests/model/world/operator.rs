//! Operators, by the command line.

use shared::store::jobs::operate;

use super::{World, chosen, refused, same};
use crate::observed::Observed;
use crate::reference::{Owed, Place};

impl World<'_> {
    pub(super) async fn make_due(&mut self, number: usize) -> Result<(), String> {
        let all: Vec<Owed> = self.must_be.owed.keys().copied().collect();
        let Some(job) = chosen(&all, number).and_then(|owed| self.must_be.owed.get_mut(&owed)) else { return Ok(()) };
        let done = operate::make_due(self.pool, job.job_id, "a").await.map_err(refused)?;
        let free = !matches!(job.place, Place::Leased(_));
        if free {
            job.place = Place::Waiting;
        }
        same("made due", done, free)
    }

    pub(super) async fn release(&mut self, number: usize, force: bool, now: &Observed) -> Result<(), String> {
        let all: Vec<Owed> = self.must_be.owed.keys().copied().collect();
        let Some(job) = chosen(&all, number).and_then(|owed| self.must_be.owed.get_mut(&owed)) else { return Ok(()) };
        let done = operate::release(self.pool, job.job_id, force, "a").await.map_err(refused)?;
        // No worker of a plan says that it is alive, so that each lease may be taken.
        let held = matches!(job.place, Place::Leased(_)) && now.clocks.contains_key(&job.job_id);
        if held {
            (job.place, job.attempts) = (Place::Waiting, (job.attempts - 1).max(0));
        }
        same("released", done, held)
    }
}
