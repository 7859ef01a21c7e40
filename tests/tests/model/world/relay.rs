//! The relay: from waiting to published, and back where the broker did not confirm.

use std::collections::BTreeSet;

use shared::store::jobs::{self, PublishedJob};
use uuid::Uuid;

use super::{Message, World, chosen, refused, same};
use crate::observed::Observed;
use crate::operation::Fate;
use crate::reference::Place;

impl World<'_> {
    pub(super) async fn relay(&mut self, fate: Fate, now: &Observed) -> Result<(), String> {
        let filled = jobs::fill_windows(self.pool).await.map_err(refused)?;
        let due: BTreeSet<Uuid> = self
            .jobs(now)
            .filter(|(_, job, clock)| job.place == Place::Waiting && clock.due)
            .map(|(_, job, _)| job.job_id)
            .collect();
        same("marked", filled.jobs.iter().map(|job| job.job_id).collect(), due)?;
        self.published(&filled.jobs, fate)
    }

    /// What was marked is Published, and its messages meet their fate.
    pub(super) fn published(&mut self, marked: &[PublishedJob], fate: Fate) -> Result<(), String> {
        for job in marked {
            let owed = (job.run_id, job.lane.kind().as_str());
            let known = self.must_be.owed.get_mut(&owed).ok_or("a job was published that nobody owes")?;
            (known.place, known.publish_no) = (Place::Published, known.publish_no + 1);
            same("publish_no", job.publish_no, known.publish_no)?;
            if matches!(fate, Fate::Taken | Fate::TakenUnconfirmed) {
                self.messages.push(Message { job_id: job.job_id, run_id: job.run_id, lane: job.lane });
            }
            if matches!(fate, Fate::Refused | Fate::TakenUnconfirmed) {
                self.unconfirmed.push((owed, job.job_id, job.publish_no));
            }
        }
        Ok(())
    }

    pub(super) async fn unmark(&mut self, number: usize) -> Result<(), String> {
        let Some((owed, job_id, publish_no)) = chosen(&self.unconfirmed, number) else { return Ok(()) };
        let done = jobs::unmark(self.pool, &[(job_id, publish_no)]).await.map_err(refused)?;
        let job = self
            .must_be
            .owed
            .get_mut(&owed)
            .filter(|job| job.job_id == job_id && job.publish_no == publish_no && job.place == Place::Published);
        same("unmarked", done, u64::from(job.is_some()))?;
        if let Some(job) = job {
            job.place = Place::Waiting;
        }
        Ok(())
    }
}
