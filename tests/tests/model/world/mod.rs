//! Drives the statements, and says beside each what it must do: a file for each who acts.

mod caller;
mod operator;
mod relay;
mod upkeep;
mod worker;

use std::time::Duration;

use harness::records::client;
use shared::store::jobs::{Lane, Lease};
use shared::store::{Pool, StoreError};
use uuid::Uuid;

use super::observed::{Clock, Observed, observe};
use super::operation::{End, Fate, Operation, Span};
use super::reference::{Job, Owed, Reference};

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
            Operation::Cancel(run) => self.cancel(run).await,
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
