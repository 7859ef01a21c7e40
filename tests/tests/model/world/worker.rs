//! The workers: claims, and what is done with them however late.

use std::time::Duration;

use shared::domain::{Checks, ErrorCode, Evidence, Stage};
use shared::store::callback_attempts::{self, NewAttempt, Then};
use shared::store::finish::{Finish, FinishedVerdict, finish};
use shared::store::jobs::{self, Kind, RunTerms};
use uuid::Uuid;

use super::{BUDGET, Claim, LEASE, World, chosen, place, refused, same};
use crate::observed::Observed;
use crate::operation::End;
use crate::reference::{ATTEMPTS, Job, Place};

const TERMS: RunTerms<'static> =
    RunTerms { owner: "worker", lease: LEASE, max_attempts: ATTEMPTS, work_budget: BUDGET };

impl World<'_> {
    pub(super) async fn deliver(&mut self, number: usize, again: bool, now: &Observed) -> Result<(), String> {
        let Some(at) = place(self.messages.len(), number) else { return Ok(()) };
        let message = if again { self.messages[at] } else { self.messages.remove(at) };
        let kind = message.lane.kind();
        let (owed, ids) = ((message.run_id, kind.as_str()), (message.job_id, message.run_id));
        let claimed = match kind {
            Kind::Run => jobs::claim_runs(self.pool, &[ids], TERMS)
                .await
                .map(|mut claims| claims.pop().flatten().map(|claim| (claim.lease, 0, claim.attempt))),
            Kind::Callback => jobs::claim_callback(self.pool, ids, "worker", LEASE)
                .await
                .map(|claim| claim.map(|claim| (claim.lease, claim.sequence, claim.attempt))),
            Kind::Erase => jobs::claim_erase(self.pool, message.job_id, "worker", LEASE)
                .await
                .map(|claim| claim.map(|claim| (claim.lease, 0, claim.attempt))),
        };
        let claimed = claimed.map_err(refused)?;
        let job = self.must_be.owed.get_mut(&owed).filter(|job| {
            let Some(clock) = now.clocks.get(&job.job_id) else { return false };
            let free = !matches!(job.place, Place::Leased(_)) || clock.expired;
            let time_left = kind != Kind::Run || (job.attempts.unsigned_abs() < ATTEMPTS && !clock.old && !clock.spent);
            job.job_id == message.job_id && clock.due && free && time_left
        });
        same("claimed", claimed.is_some(), job.is_some())?;
        let (Some((lease, sequence, attempt)), Some(job)) = (claimed, job) else { return Ok(()) };
        (job.place, job.attempts) = (Place::Leased(lease.token), job.attempts + 1);
        same("attempt", attempt, job.attempts)?;
        self.claims.push(Claim { lease, owed, sequence, upkeep: false });
        Ok(())
    }

    /// As a worker does beside its work: it renews its leases, and says which stage it is in. Of a lease that is lost it
    /// is told by either.
    pub(super) async fn renew(&mut self, number: usize) -> Result<(), String> {
        let Some(claim) = chosen(&self.claims, number) else { return Ok(()) };
        let ours = jobs::renew(self.pool, &[claim.lease], LEASE).await.map_err(refused)?;
        let held = usize::from(self.must_be.held(claim.owed, claim.lease.token).is_some());
        same("renewed", ours.len(), held)?;
        let noted = jobs::note_stages(self.pool, &[(claim.lease, Stage::Read)]).await.map_err(refused)?;
        same("its stage is kept", noted.len(), held)
    }

    pub(super) async fn put_off(&mut self, number: usize, pause: bool) -> Result<(), String> {
        let Some(claim) = chosen(&self.claims, number).filter(|claim| !claim.upkeep) else { return Ok(()) };
        // As the worker decides: a run that is out of attempts is ended and not put off.
        let held = self.must_be.held(claim.owed, claim.lease.token);
        if claim.owed.1 == "run" && held.is_some_and(|job| job.attempts.unsigned_abs() >= ATTEMPTS) {
            return Ok(());
        }
        let ours = held.is_some();
        let pause = if pause { LEASE } else { Duration::ZERO };
        same("put off", jobs::retry(self.pool, claim.lease, pause, "failed").await.map_err(refused)?, ours)?;
        self.let_go(claim, 0);
        Ok(())
    }

    pub(super) async fn give_back(&mut self, number: usize) -> Result<(), String> {
        let Some(claim) = chosen(&self.claims, number).filter(|claim| !claim.upkeep) else { return Ok(()) };
        let given = jobs::give_back(self.pool, &[claim.lease], Duration::ZERO).await.map_err(refused)?;
        same("given back", given, u64::from(self.must_be.held(claim.owed, claim.lease.token).is_some()))?;
        self.let_go(claim, 1);
        Ok(())
    }

    /// leased → waiting, if the claim still holds.
    pub(super) fn let_go(&mut self, claim: Claim, attempts_back: i32) {
        if self.must_be.held(claim.owed, claim.lease.token).is_some()
            && let Some(job) = self.must_be.owed.get_mut(&claim.owed)
        {
            (job.place, job.attempts) = (Place::Waiting, job.attempts - attempts_back);
        }
    }

    pub(super) async fn finish(&mut self, claim: Claim, end: End) -> Result<(), String> {
        let holds = self.must_be.held(claim.owed, claim.lease.token).is_some();
        let (run_id, kind) = claim.owed;
        match kind {
            "run" => {
                let finished = finish(self.pool, claim.lease, run_id, &ending(end)).await.map_err(refused)?;
                same("finished", finished.is_some(), holds)?;
                if let Some(finished) = finished {
                    self.finished(run_id, &ending(end), finished.callback_owed)?;
                }
            }
            "callback" => {
                let attempt = NewAttempt {
                    run_id,
                    sequence: claim.sequence,
                    duration: Duration::ZERO,
                    status_code: Some(200),
                    outcome: if end == End::Fatal { "rejected" } else { "delivered" },
                };
                let then = match end {
                    End::Verdict => Then::Delivered,
                    End::Retryable => Then::Again(LEASE),
                    End::Fatal => Then::Failed,
                };
                let done = callback_attempts::record(self.pool, claim.lease, &attempt, then).await.map_err(refused)?;
                same("recorded", done, holds)?;
                match then {
                    Then::Again(_) => self.let_go(claim, 0),
                    _ if holds => drop(self.must_be.owed.remove(&claim.owed)),
                    _ => {}
                }
            }
            _ => {
                same("settled", jobs::settle(self.pool, claim.lease).await.map_err(refused)?, holds)?;
                if holds {
                    self.must_be.owed.remove(&claim.owed);
                }
            }
        }
        Ok(())
    }

    /// A result was written: the run owes nothing more but its event, where somebody asked to be told.
    pub(super) fn finished(&mut self, run_id: Uuid, ending: &Finish, callback_owed: bool) -> Result<(), String> {
        self.must_be.owed.remove(&(run_id, "run"));
        let run = self.must_be.runs.get_mut(&run_id).ok_or("a run ended that is not there")?;
        self.must_be.results.insert((run_id, run.generation));
        run.status = ending.status().as_str().to_owned();
        run.error_code = ending.errors.first().map(|code| code.as_str().to_owned());
        same("a callback is owed", callback_owed, run.told)?;
        if run.told {
            run.events += 1;
            self.must_be.owed.insert((run_id, "callback"), Job::new(Uuid::nil(), 1));
        }
        Ok(())
    }
}

fn ending(end: End) -> Finish {
    let error = |code| Finish { errors: vec![code], worker: "worker".into(), ..Finish::default() };
    match end {
        End::Retryable => error(ErrorCode::OcrFailed),
        End::Fatal => Finish { dead_reason: Some("crashed".into()), ..error(ErrorCode::UnknownError) },
        End::Verdict => Finish {
            verdict: Some(FinishedVerdict {
                verdict: true,
                checks: Checks {
                    fio_match: Some(true),
                    doc_type_known: Some(true),
                    doc_date_valid: Some(true),
                    single_doc_type: Some(true),
                },
                fio: None,
                doc_date: None,
                doc_type: None,
                single_doc_type: true,
                doc_type_known: Some(true),
                evidence: Evidence::default(),
                flags: vec![],
            }),
            worker: "worker".into(),
            ..Finish::default()
        },
    }
}
