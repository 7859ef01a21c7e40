//! Wakes the requests that wait for a run. A waiter registers first, then reads, then waits, so that nothing
//! that happens in between is missed. Events of the broker wake it at once; one batched read a second for
//! all the waiters of the process makes good whatever the broker lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::queue::events::{RunEvent, What};
use shared::store::progress::{self, Progress};
use shared::store::{Pool, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Requests that wait at once in this process, at most.
pub const MOST_WAITERS: usize = 20_000;

/// Events of one run that a slow reader may fall behind; further ones are made good by the next read.
const BEHIND: usize = 32;

/// How often the database is read for all waiters.
const PERIOD: Duration = Duration::from_secs(1);

/// Runs of one read.
const BATCH: usize = 1_000;

/// What a waiter hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// The broker told.
    Told(What),
    /// The database was read: the run has not ended and stands here.
    Stands(Progress),
    /// Something was missed: the record has to be read.
    Look,
}

/// All the waiters of this process.
#[derive(Debug)]
pub struct Hub {
    runs: Mutex<HashMap<Uuid, broadcast::Sender<Signal>>>,
    room: Arc<Semaphore>,
}

impl Default for Hub {
    fn default() -> Self {
        Self::with_room(MOST_WAITERS)
    }
}

impl Hub {
    /// With room for so many waiters.
    #[must_use]
    pub fn with_room(waiters: usize) -> Self {
        Self { runs: Mutex::default(), room: Arc::new(Semaphore::new(waiters)) }
    }

    /// Registers a waiter for a run; none where there is no room for more.
    pub fn register(self: &Arc<Self>, run_id: Uuid) -> Option<Waiter> {
        let permit = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let signals = runs.entry(run_id).or_insert_with(|| broadcast::channel(BEHIND).0).subscribe();
        Some(Waiter { run_id, signals, hub: Arc::clone(self), _permit: permit })
    }

    /// Tells whoever waits for the event's run.
    pub fn dispatch(&self, event: RunEvent) {
        self.signal(event.run_id, Signal::Told(event.what));
    }

    fn signal(&self, run_id: Uuid, signal: Signal) {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiters) = runs.get(&run_id) {
            // Nobody listens any more: the last waiter is just leaving.
            drop(waiters.send(signal));
        }
    }

    /// Whether anybody waits for a run.
    pub fn is_waited_for(&self, run_id: Uuid) -> bool {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&run_id)
    }

    /// How many wait now.
    pub fn waiters(&self) -> usize {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).values().map(broadcast::Sender::receiver_count).sum()
    }

    fn waited_for(&self) -> Vec<Uuid> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Reads once where all runs stand that are waited for, and tells their waiters.
    ///
    /// # Errors
    /// The database is unavailable; the next look may do better.
    pub async fn look(&self, pool: &Pool) -> Result<(), StoreError> {
        for run_ids in self.waited_for().chunks(BATCH) {
            for stands in progress::of(pool, run_ids).await? {
                let ended = stands.stage == shared::domain::Stage::Done;
                self.signal(stands.run_id, if ended { Signal::Told(What::Finished) } else { Signal::Stands(stands) });
            }
        }
        Ok(())
    }

    /// Looks once a second until `stop`.
    pub async fn keep_looking(&self, pool: &Pool, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut away = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let looked = self.look(pool).await;
            if let (Err(error), false) = (&looked, away) {
                tracing::warn!(%error, "the waiting requests cannot be looked after");
            }
            away = looked.is_err();
        }
    }
}

/// One waiting request. It leaves the hub when it is dropped.
#[derive(Debug)]
pub struct Waiter {
    run_id: Uuid,
    signals: broadcast::Receiver<Signal>,
    hub: Arc<Hub>,
    _permit: OwnedSemaphorePermit,
}

impl Waiter {
    /// The next thing that happens to the run.
    pub async fn next(&mut self) -> Signal {
        // The hub keeps the sender as long as a waiter lives, so this is never closed.
        self.signals.recv().await.unwrap_or(Signal::Look)
    }

    /// Until the run has ended, or something was missed: either way its record is worth reading.
    pub async fn ended(&mut self) {
        while !matches!(self.next().await, Signal::Told(What::Finished) | Signal::Look) {}
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut runs = self.hub.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.get(&self.run_id).is_some_and(|waiters| waiters.receiver_count() == 1) {
            runs.remove(&self.run_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::Stage;
    use shared::queue::events::StageState;

    use super::*;

    fn finished(run_id: Uuid) -> RunEvent {
        RunEvent { run_id, what: What::Finished }
    }

    #[tokio::test]
    async fn an_event_wakes_all_who_wait_for_its_run_and_nobody_else() {
        let hub = Arc::new(Hub::default());
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut waiters = [one, one, other].map(|run_id| hub.register(run_id).expect("there is room"));
        hub.dispatch(finished(one));
        for waiter in &mut waiters[..2] {
            assert_eq!(waiter.next().await, Signal::Told(What::Finished));
        }
        assert!(waiters[2].signals.is_empty());
    }

    #[tokio::test]
    async fn what_happens_between_registering_and_waiting_is_not_missed() {
        let hub = Arc::new(Hub::default());
        let mut waiter = hub.register(Uuid::from_u128(1)).expect("there is room");
        hub.dispatch(finished(Uuid::from_u128(1)));
        waiter.ended().await;
    }

    #[tokio::test]
    async fn a_stage_does_not_end_the_wait() {
        let hub = Arc::new(Hub::default());
        let run_id = Uuid::from_u128(1);
        let mut waiter = hub.register(run_id).expect("there is room");
        let at = "2026-11-22T08:11:00Z".parse().expect("a time");
        let what = What::Stage { stage: Stage::Read, state: StageState::Started, attempt: 1, at };
        hub.dispatch(RunEvent { run_id, what });
        assert!(waiter.ended().now_or_never().is_none());
        hub.dispatch(finished(run_id));
        waiter.ended().await;
    }

    #[tokio::test]
    async fn who_fell_behind_looks_at_the_record() {
        let hub = Arc::new(Hub::default());
        let run_id = Uuid::from_u128(1);
        let mut waiter = hub.register(run_id).expect("there is room");
        for _ in 0..=BEHIND {
            hub.signal(run_id, Signal::Stands(Progress { run_id, stage: Stage::Read, attempts: 1 }));
        }
        assert_eq!(waiter.next().await, Signal::Look);
    }

    #[test]
    fn waiters_leave_nothing_behind_and_are_bounded() {
        let hub = Arc::new(Hub::with_room(2));
        let one = hub.register(Uuid::from_u128(1)).expect("there is room");
        let two = hub.register(Uuid::from_u128(1)).expect("there is room");
        assert!(hub.register(Uuid::from_u128(3)).is_none());
        drop(one);
        assert_eq!(hub.waited_for().len(), 1);
        drop(two);
        assert!(hub.waited_for().is_empty());
        assert!(hub.register(Uuid::from_u128(3)).is_some());
    }

    use futures::FutureExt as _;
}
