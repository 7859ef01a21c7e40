//! The database's clock, as far as a process can know it: it is asked from time to time, and the process's
//! monotonic clock tells the time since. Ids are made by it, so that they order like the times in the record, also
//! where somebody sets this machine's clock in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::{self, Pool, StoreError};

/// A process whose clock is further away than this makes no ids: it is not ready.
pub const LARGEST_OFFSET: Duration = Duration::from_secs(5);

const UNKNOWN: i64 = i64::MIN;

/// The measured clock. Cheap to clone; all clones know the same time.
#[derive(Clone, Debug)]
pub struct DatabaseClock {
    /// A moment on the monotonic clock, which nobody can set.
    start: Instant,
    /// What the database's clock showed at `start`, in microseconds since 1970.
    start_micros: Arc<AtomicI64>,
}

impl Default for DatabaseClock {
    fn default() -> Self {
        Self { start: Instant::now(), start_micros: Arc::new(AtomicI64::new(UNKNOWN)) }
    }
}

impl DatabaseClock {
    /// Asks the database: the fastest of three answers is the truest.
    ///
    /// # Errors
    /// The database is away; what was known holds.
    pub async fn measure(&self, pool: &Pool) -> Result<(), StoreError> {
        let mut best: Option<(Duration, DateTime<Utc>)> = None;
        for _ in 0..3 {
            let asked = Instant::now();
            let answered = store::now(pool).await?;
            let took = asked.elapsed();
            if best.is_none_or(|(fastest, _)| took < fastest) {
                best = Some((took, answered - (asked + took / 2).saturating_duration_since(self.start)));
            }
        }
        self.start_micros.store(best.map_or(UNKNOWN, |(_, at)| at.timestamp_micros()), Ordering::Relaxed);
        Ok(())
    }

    fn start_at(&self) -> Option<DateTime<Utc>> {
        let micros = self.start_micros.load(Ordering::Relaxed);
        DateTime::from_timestamp_micros(micros).filter(|_| micros != UNKNOWN)
    }

    /// How far the database's clock is ahead of this machine's; none until it was asked.
    pub fn offset(&self) -> Option<TimeDelta> {
        self.start_at().map(|start_at| start_at + self.start.elapsed() - Utc::now())
    }

    /// Whether ids may be made by it: the database was asked, and this machine's clock is not far off.
    pub fn is_sound(&self) -> bool {
        self.offset().is_some_and(|offset| offset.abs().to_std().is_ok_and(|offset| offset <= LARGEST_OFFSET))
    }

    /// The database's time now; this machine's until the database was asked.
    pub fn now(&self) -> DateTime<Utc> {
        self.start_at().map_or_else(Utc::now, |start_at| start_at + self.start.elapsed())
    }

    /// A new run's id, with the time inside it to the millisecond.
    pub fn new_run_id(&self) -> (Uuid, DateTime<Utc>) {
        let millis = self.now().timestamp_millis();
        let id =
            uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &rand::random()).into_uuid();
        (id, DateTime::from_timestamp_millis(millis).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_the_time_it_was_made_at() {
        let (id, created_at) = DatabaseClock::default().new_run_id();
        let (seconds, nanos) = id.get_timestamp().expect("a UUIDv7 holds a time").to_unix();
        let inside = DateTime::from_timestamp(i64::try_from(seconds).expect("now"), nanos).expect("a time");
        assert_eq!(inside, created_at);
        assert_eq!(id.get_version_num(), 7);
    }

    #[test]
    fn a_clock_that_was_never_measured_is_not_sound() {
        assert!(!DatabaseClock::default().is_sound());
    }
}
