//! Drives the statements, and says beside each what it must do.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::records::{begin, client, new_run};
use shared::domain::{Checks, ErrorCode, Evidence};
use shared::store::callback_attempts::{self, NewAttempt, Then};
use shared::store::erasures::{self, Eraser};
use shared::store::finish::{Finish, FinishedVerdict, finish};
use shared::store::jobs::{self, Ending, Kind, Lane, Lease, PublishedJob, operate};
use shared::store::retry::{self, Retrier};
use shared::store::{Pool, StoreError, callbacks};
use uuid::Uuid;

use super::observed::{Clock, Observed, observe};
use super::operation::{End, Fate, Operation, Span};
use super::reference::{ATTEMPTS, Job, Owed, Place, Reference, Run};

/// Work that a run may take. All spans here are long against the time that a test takes, so that the database's
/// clock says the same before a statement and in it.
pub const BUDGET: Duration = Duration::from_secs(4000);
const LEASE: Duration = Duration::from_secs(1000);
const AGE: Duration = Duration::from_secs(20_000);
/// Runs of one plan: the windows then have room for all that is due.
const MOST_RUNS: usize = 4;
/// Without faults a job needs a few looks of each actor; far more than any needs.
const ROUNDS: usize = 60;
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A message that the broker has.
#[derive(Clone, Copy)]
struct Message {
    job_id: Uuid,
    run_id: Uuid,
    lane: Lane,
}

/// A claim that somebody believes to hold.
#[derive(Clone, Copy)]
struct Claim {
    lease: Lease,
    owed: Owed,
    sequence: i32,
    /// Upkeep ends what it takes, or dies; it neither puts off nor gives back.
    upkeep: bool,
}

/// One client's runs, and all who have to do with them.
pub struct World<'a> {
    pool: &'a Pool,
    client_id: Uuid,
    runs: Vec<Uuid>,
    must_be: Reference,
    messages: Vec<Message>,
    unconfirmed: Vec<(Owed, Uuid, i32)>,
    claims: Vec<Claim>,
    seen: Observed,
}

fn refused(error: StoreError) -> String {
    format!("a statement failed: {error}")
}

/// Which of so many a number means: 0 is the newest.
fn place(len: usize, number: usize) -> Option<usize> {
    number.checked_rem(len).map(|back| len - 1 - back)
}

fn chosen<T: Copy>(all: &[T], number: usize) -> Option<T> {
    all.get(place(all.len(), number)?).copied()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, must_be: T) -> Result<(), String> {
    if is == must_be { Ok(()) } else { Err(format!("{what}: {is:?}, and must be {must_be:?}")) }
}

impl<'a> World<'a> {
    /// A client with one run.
    pub async fn new(pool: &'a Pool) -> Result<Self, String> {
        // What an interleaving that failed has left would have its share of the windows.
        sqlx::query("DELETE FROM jobs").execute(pool).await.map_err(|error| error.to_string())?;
        let client_id = client(pool, &format!("c{}", Uuid::new_v4().simple())).await;
        let (runs, must_be) = (Vec::new(), Reference::default());
        let mut world = Self {
            pool,
            client_id,
            runs,
            must_be,
            messages: vec![],
            unconfirmed: vec![],
            claims: vec![],
            seen: Observed::default(),
        };
        world.step(&Operation::Submit { callback: true }).await?;
        Ok(world)
    }

    /// One step, and the comparison after it.
    pub async fn step(&mut self, operation: &Operation) -> Result<(), String> {
        let now = std::mem::take(&mut self.seen);
        self.apply(operation, &now).await?;
        self.seen = self.compare().await?;
        Ok(())
    }

    async fn compare(&mut self) -> Result<Observed, String> {
        let seen = observe(self.pool, self.client_id).await?;
        // New jobs have new ids.
        for (owed, job) in &mut self.must_be.owed {
            if job.job_id.is_nil() {
                job.job_id = seen.rows.owed.get(owed).map_or(Uuid::nil(), |job| job.job_id);
            }
        }
        same("the rows", &seen.rows, &self.must_be)?;
        seen.rows.check()?;
        Ok(seen)
    }

    async fn apply(&mut self, operation: &Operation, now: &Observed) -> Result<(), String> {
        match *operation {
            Operation::Submit { callback } => self.submit(callback).await,
            Operation::Relay(fate) => self.relay(fate, now).await,
            Operation::Unmark(number) => self.unmark(number).await,
            Operation::Lose(number) => {
                if let Some(at) = place(self.messages.len(), number) {
                    self.messages.remove(at);
                }
                Ok(())
            }
            Operation::Deliver { message, again } => self.deliver(message, again, now).await,
            Operation::Renew(number) => self.renew(number).await,
            Operation::Retry { claim, pause } => self.put_off(claim, pause).await,
            Operation::GiveBack(number) => self.give_back(number).await,
            Operation::Finish { claim, end } => match chosen(&self.claims, claim) {
                Some(claim) => self.finish(claim, end).await,
                None => Ok(()),
            },
            Operation::Expire => self.expire(now).await,
            Operation::EndRuns { dies } => self.end_runs(dies, now).await,
            Operation::Republish => self.republish(now).await,
            Operation::Time(span) => self.time_passes(span).await,
            Operation::NewGeneration { run, operator } => self.new_generation(run, operator).await,
            Operation::Redeliver(run) => self.redeliver(run).await,
            Operation::Erase(run) => self.erase(run).await,
            Operation::MakeDue(job) => self.make_due(job).await,
            Operation::Release { job, force } => self.release(job, force, now).await,
        }
    }

    async fn submit(&mut self, callback: bool) -> Result<(), String> {
        if self.runs.len() == MOST_RUNS {
            return Ok(());
        }
        let mut run = new_run(self.client_id);
        run.callback_url = callback.then(|| "https://callbacks.example/".to_owned());
        run.max_age = AGE;
        begin(self.pool, &run).await;
        self.runs.push(run.run_id);
        let new = Run { status: "processing".into(), generation: 1, error_code: None, events: 0 };
        self.must_be.runs.insert(run.run_id, new);
        self.must_be.owed.insert((run.run_id, "run"), Job::new(Uuid::nil(), 1));
        Ok(())
    }

    async fn relay(&mut self, fate: Fate, now: &Observed) -> Result<(), String> {
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
    fn published(&mut self, marked: &[PublishedJob], fate: Fate) -> Result<(), String> {
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

    async fn unmark(&mut self, number: usize) -> Result<(), String> {
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

    async fn deliver(&mut self, number: usize, again: bool, now: &Observed) -> Result<(), String> {
        let Some(at) = place(self.messages.len(), number) else { return Ok(()) };
        let message = if again { self.messages[at] } else { self.messages.remove(at) };
        let kind = message.lane.kind();
        let (owed, ids) = ((message.run_id, kind.as_str()), (message.job_id, message.run_id));
        let claimed = match kind {
            Kind::Run => jobs::claim_run(self.pool, ids, "worker", LEASE, ATTEMPTS, BUDGET)
                .await
                .map(|claim| claim.map(|claim| (claim.lease, 0, claim.attempt))),
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

    async fn renew(&mut self, number: usize) -> Result<(), String> {
        let Some(claim) = chosen(&self.claims, number) else { return Ok(()) };
        let ours = jobs::renew(self.pool, &[claim.lease], LEASE).await.map_err(refused)?;
        same("renewed", ours.len(), usize::from(self.must_be.held(claim.owed, claim.lease.token).is_some()))
    }

    async fn put_off(&mut self, number: usize, pause: bool) -> Result<(), String> {
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

    async fn give_back(&mut self, number: usize) -> Result<(), String> {
        let Some(claim) = chosen(&self.claims, number).filter(|claim| !claim.upkeep) else { return Ok(()) };
        let given = jobs::give_back(self.pool, &[claim.lease], Duration::ZERO).await.map_err(refused)?;
        same("given back", given, u64::from(self.must_be.held(claim.owed, claim.lease.token).is_some()))?;
        self.let_go(claim, 1);
        Ok(())
    }

    /// leased → waiting, if the claim still holds.
    fn let_go(&mut self, claim: Claim, attempts_back: i32) {
        if self.must_be.held(claim.owed, claim.lease.token).is_some()
            && let Some(job) = self.must_be.owed.get_mut(&claim.owed)
        {
            (job.place, job.attempts) = (Place::Waiting, job.attempts - attempts_back);
        }
    }

    async fn finish(&mut self, claim: Claim, end: End) -> Result<(), String> {
        let holds = self.must_be.held(claim.owed, claim.lease.token).is_some();
        let (run_id, kind) = claim.owed;
        match kind {
            "run" => {
                let finished = finish(self.pool, claim.lease, run_id, &ending(end)).await.map_err(refused)?;
                same("finished", finished.is_some(), holds)?;
                if let Some(finished) = finished {
                    self.finished(run_id, &ending(end), finished.callback_owed);
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

    /// A result was written: the run owes nothing more but its event.
    fn finished(&mut self, run_id: Uuid, ending: &Finish, callback_owed: bool) {
        self.must_be.owed.remove(&(run_id, "run"));
        let Some(run) = self.must_be.runs.get_mut(&run_id) else { return };
        self.must_be.results.insert((run_id, run.generation));
        run.status = ending.status().as_str().to_owned();
        run.error_code = ending.errors.first().map(|code| code.as_str().to_owned());
        if callback_owed {
            run.events += 1;
            self.must_be.owed.insert((run_id, "callback"), Job::new(Uuid::nil(), 1));
        }
    }

    async fn expire(&mut self, now: &Observed) -> Result<(), String> {
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

    async fn end_runs(&mut self, dies: bool, now: &Observed) -> Result<(), String> {
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

    async fn republish(&mut self, now: &Observed) -> Result<(), String> {
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

    async fn time_passes(&self, span: Span) -> Result<(), String> {
        let seconds = match span {
            Span::Moment => 25,
            Span::Lease => 1100,
            Span::Age => 21_000,
        };
        let statement = "UPDATE jobs SET lease_until = lease_until - $1 * interval '1 second',
            leased_at = leased_at - $1 * interval '1 second', published_at = published_at - $1 * interval '1 second',
            available_at = available_at - $1 * interval '1 second',
            expires_at = expires_at - $1 * interval '1 second' WHERE client_id = $2";
        let moved = sqlx::query(statement).bind(seconds).bind(self.client_id).execute(self.pool).await;
        moved.map(drop).map_err(|error| error.to_string())
    }

    async fn new_generation(&mut self, number: usize, operator: bool) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let retrier = Retrier { actor: "a", operator, ip_address: None, trace_context: TRACE, max_age: AGE };
        let begun = retry::begin(self.pool, run_id, self.client_id, &retrier).await.map_err(refused)?;
        let may = |run: &&mut Run| {
            run.status == "error" && (operator || run.error_code.as_deref() != Some(ErrorCode::UnknownError.as_str()))
        };
        let run = self.must_be.runs.get_mut(&run_id).filter(may);
        same("generation", begun, run.as_ref().map(|run| run.generation + 1))?;
        if let Some(run) = run {
            (run.status, run.error_code, run.generation) = ("processing".into(), None, run.generation + 1);
            self.must_be.owed.insert((run_id, "run"), Job::new(Uuid::nil(), run.generation));
        }
        Ok(())
    }

    async fn redeliver(&mut self, number: usize) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let owed = callbacks::redeliver(self.pool, run_id, self.client_id, "a", TRACE).await.map_err(refused)?;
        let events = self.must_be.runs.get(&run_id).map(|run| run.events).filter(|events| *events > 0);
        same("redelivered", owed, events)?;
        if events.is_some() {
            let job = self.must_be.owed.entry((run_id, "callback")).or_insert_with(|| Job::new(Uuid::nil(), 1));
            if !matches!(job.place, Place::Leased(_)) {
                (job.place, job.attempts) = (Place::Waiting, 0);
            }
        }
        Ok(())
    }

    async fn erase(&mut self, number: usize) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let eraser = Eraser { actor: "a", ip_address: None, trace_context: TRACE };
        let erased = erasures::erase(self.pool, run_id, self.client_id, &eraser).await.map_err(refused)?;
        same("erased", erased, self.must_be.runs.remove(&run_id).is_some())?;
        if erased {
            for kind in ["run", "callback"] {
                self.must_be.owed.remove(&(run_id, kind));
            }
            self.must_be.owed.insert((run_id, "erase"), Job::new(Uuid::nil(), 1));
        }
        Ok(())
    }

    async fn make_due(&mut self, number: usize) -> Result<(), String> {
        let all: Vec<Owed> = self.must_be.owed.keys().copied().collect();
        let Some(job) = chosen(&all, number).and_then(|owed| self.must_be.owed.get_mut(&owed)) else { return Ok(()) };
        let done = operate::make_due(self.pool, job.job_id, "a").await.map_err(refused)?;
        let free = !matches!(job.place, Place::Leased(_));
        if free {
            job.place = Place::Waiting;
        }
        same("made due", done, free)
    }

    async fn release(&mut self, number: usize, force: bool, now: &Observed) -> Result<(), String> {
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

    fn jobs<'b>(&'b self, now: &'b Observed) -> impl Iterator<Item = (Owed, &'b Job, Clock)> + 'b {
        self.must_be.owed.iter().filter_map(|(owed, job)| Some((*owed, job, *now.clocks.get(&job.job_id)?)))
    }

    /// Nothing fails any more: whatever state was reached leads on, until nothing is owed.
    pub async fn come_to_an_end(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            if self.must_be.owed.is_empty() {
                return Ok(());
            }
            self.step(&Operation::Expire).await?;
            self.step(&Operation::EndRuns { dies: false }).await?;
            self.step(&Operation::Relay(Fate::Taken)).await?;
            while !self.messages.is_empty() {
                let before = self.claims.len();
                self.step(&Operation::Deliver { message: 0, again: false }).await?;
                if self.claims.len() > before {
                    self.step(&Operation::Finish { claim: 0, end: End::Verdict }).await?;
                }
            }
            self.step(&Operation::Republish).await?;
            self.step(&Operation::Time(Span::Lease)).await?;
        }
        Err(format!("this does not come to an end: {:?}", self.must_be.owed))
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
