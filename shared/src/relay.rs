//! The relay: from the table `jobs` to the broker, in every api and worker process. It marks due jobs published,
//! commits, and then publishes them; what the broker does not confirm is unmarked. No transaction is open across
//! a confirm and no mark is written after one, since a fast worker may already have moved the job on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng as _;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::queue::{Broker, Session, Unconfirmed, publish_jobs};
use crate::store::jobs::{PublishedJob, fill_windows, unmark};
use crate::store::{Pool, StoreError};
use crate::telemetry::{Metrics, Relayed};

/// How often a relay looks that nobody woke.
const PERIOD: Duration = Duration::from_secs(1);
/// Batches whose confirms are waited for at once.
const BATCHES: usize = 16;
/// How often a mark is tried to be taken back before it is left to upkeep.
const UNMARK_TRIES: u32 = 5;

/// Wakes the relay of this process.
#[derive(Clone, Debug, Default)]
pub struct RelayHandle {
    wake: Arc<Notify>,
    behind: Arc<AtomicBool>,
    due: Arc<Mutex<Option<Instant>>>,
}

impl RelayHandle {
    /// A job was committed that is due now.
    pub fn committed(&self) {
        self.wake.notify_one();
    }

    /// A job was committed that is due later.
    pub fn due_in(&self, pause: Duration) {
        self.due_at(Instant::now() + pause);
        self.wake.notify_one();
    }

    fn due_at(&self, at: Instant) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        *due = Some(due.map_or(at, |earlier| earlier.min(at)));
    }

    /// A job was claimed: a window has room again, which matters only while more is due.
    pub fn claimed(&self) {
        if self.behind.load(Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }

    /// The earliest time that is still to come.
    fn next_due(&self, now: Instant) -> Option<Instant> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.is_some_and(|at| at <= now) {
            *due = None;
        }
        *due
    }
}

/// Relays until `stop`. While the broker is away nothing is marked: jobs wait in the table.
pub async fn run(pool: Pool, mut broker: Broker, handle: RelayHandle, metrics: Metrics, stop: CancellationToken) {
    let batches = Arc::new(Semaphore::new(BATCHES));
    loop {
        let session = tokio::select! {
            () = stop.cancelled() => return,
            session = broker.next_session() => session,
        };
        let Some(session) = session else { return };
        let filled = match fill(&pool, &session, &batches, &metrics).await {
            Ok(published) => published,
            Err(error) => {
                tracing::warn!(%error, "due jobs cannot be read");
                false
            }
        };
        handle.behind.store(filled, Ordering::Relaxed);
        let now = Instant::now();
        let look = now + PERIOD.mul_f64(rand::rng().random_range(0.8..1.2));
        let until = handle.next_due(now).map_or(look, |due| due.min(look));
        tokio::select! {
            () = stop.cancelled() => return,
            () = session.ended() => {}
            () = handle.wake.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// Fills the windows once. True: more is due than they have room for.
async fn fill(
    pool: &Pool,
    session: &Arc<Session>,
    batches: &Arc<Semaphore>,
    metrics: &Metrics,
) -> Result<bool, StoreError> {
    let Ok(permit) = Arc::clone(batches).acquire_owned().await else { return Ok(false) };
    let filled = fill_windows(pool).await?;
    if !filled.jobs.is_empty() {
        let (pool, session, metrics) = (pool.clone(), Arc::clone(session), metrics.clone());
        tokio::spawn(async move {
            publish(&pool, &session, &filled.jobs, &metrics).await;
            drop(permit);
        });
    }
    Ok(filled.more)
}

/// Publishes marked jobs; those that the broker did not take are unmarked.
pub async fn publish(pool: &Pool, session: &Session, jobs: &[PublishedJob], metrics: &Metrics) {
    let unconfirmed = publish_jobs(session, jobs).await;
    count(jobs, &unconfirmed, metrics);
    if unconfirmed.publishings.is_empty() {
        return;
    }
    let count = unconfirmed.publishings.len();
    tracing::warn!(count, "the broker did not take all jobs");
    let publishings: Vec<_> = unconfirmed.publishings.iter().map(|lost| (lost.job_id, lost.publish_no)).collect();
    for _ in 0..UNMARK_TRIES {
        match unmark(pool, &publishings).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, "jobs that were not published cannot be unmarked"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// The broker's answers are counted by what the jobs are for; its refusals come to all kinds alike.
fn count(jobs: &[PublishedJob], unconfirmed: &Unconfirmed, metrics: &Metrics) {
    for job in jobs {
        let kind = job.lane.kind().as_str();
        metrics.relayed(kind, Relayed::Published, 1);
        let lost = unconfirmed.of(job.job_id);
        metrics.relayed(kind, lost.unwrap_or(Relayed::Confirmed), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_due_time_is_kept_and_forgotten_when_it_has_come() {
        let (handle, now) = (RelayHandle::default(), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        [5, 2, 9].into_iter().for_each(|seconds| handle.due_at(at(seconds)));
        assert_eq!(handle.next_due(now), Some(at(2)));
        assert_eq!(handle.next_due(at(3)), None);
    }
}
