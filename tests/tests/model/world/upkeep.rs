//! Upkeep: what ran out, and what is missing from the broker.

use std::collections::BTreeSet;

use shared::store::jobs::{self, Ending, Lane};
use uuid::Uuid;

use super::{BUDGET, Claim, LEASE, World, refused, same};
use crate::observed::Observed;
use crate::operation::{End, Fate};
use crate::reference::{ATTEMPTS, Owed, Place};

impl World<'_> {
    pub(super) async fn expire(&mut self, now: &Observed) -> Result<(), String> {
        let expired = jobs::expire_leases(self.pool, ATTEMPTS).await.map_err(refused)?;
        let due: Vec<Owed> = self
            .jobs(now)
            .filter(|((_, kind), job, clock)| {
                matches!(job.place, Place::Leased(_))
                    && clock.expired
                    && (*kind != "run" || job.attempts.unsigned_abs() < ATTEMPTS)
            })
            .map(|(owed, _, _)| owed)
            .collect();
        same("expired", expired, due.len() as u64)?;
        for owed in due {
            if let Some(job) = self.must_be.owed.get_mut(&owed) {
                job.place = Place::Waiting;
            }
        }
        Ok(())
    }

    pub(super) async fn end_runs(&mut self, dies: bool, now: &Observed) -> Result<(), String> {
        let taken = jobs::take_timed_out(self.pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.map_err(refused)?;
        let due: BTreeSet<(Uuid, bool)> = self
            .jobs(now)
            .filter(|((_, kind), _, _)| *kind == "run")
            .filter_map(|(_, job, clock)| {
                let leased = matches!(job.place, Place::Leased(_));
                let crashed = leased && clock.expired && job.attempts.unsigned_abs() >= ATTEMPTS;
                (crashed || (!leased && (clock.old || clock.spent))).then_some((job.job_id, crashed))
            })
            .collect();
        let crashed = |ending| ending == Ending::Crashed;
        same("ended", taken.iter().map(|job| (job.lease.job_id, crashed(job.ending))).collect(), due)?;
        for job in &taken {
            let owed = (job.run_id, "run");
            if let Some(known) = self.must_be.owed.get_mut(&owed) {
                known.place = Place::Leased(job.lease.token);
            }
            let claim = Claim { lease: job.lease, owed, sequence: 0, upkeep: true };
            if dies {
                self.claims.push(claim);
            } else {
                self.finish(claim, if crashed(job.ending) { End::Fatal } else { End::Retryable }).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn republish(&mut self, now: &Observed) -> Result<(), String> {
        for lane in Lane::ALL {
            let ready = self.messages.iter().filter(|message| message.lane == lane).count() as u64;
            let missing = jobs::missing_jobs(self.pool, lane).await.map_err(refused)?;
            let lost = missing.saturating_sub(ready);
            let again = jobs::republish(self.pool, lane, lost).await.map_err(refused)?;
            let late: BTreeSet<Uuid> = self
                .jobs(now)
                .filter(|((_, kind), job, clock)| {
                    *kind == lane.kind().as_str() && job.place == Place::Published && clock.late
                })
                .map(|(_, job, _)| job.job_id)
                .collect();
            // All runs here are of normal priority.
            let may = if lane == Lane::RunsHigh { 0 } else { late.len().min(usize::try_from(lost).unwrap_or(0)) };
            same("published again", again.len(), may)?;
            if let Some(job) = again.iter().find(|job| !late.contains(&job.job_id)) {
                return Err(format!("{job:?} was not to be missed yet"));
            }
            self.published(&again, Fate::Taken)?;
        }
        Ok(())
    }
}
