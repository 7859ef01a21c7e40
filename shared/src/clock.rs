//! The database's clock, as far as a process can know it: the offset of its own clock is measured. Ids are made
//! by it, so that they order like the times in the record.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::{self, Pool, StoreError};

/// A process whose clock is further away than this makes no ids: it is not ready.
pub const LARGEST_OFFSET: Duration = Duration::from_secs(5);

const UNKNOWN: i64 = i64::MIN;

/// The measured clock. Cheap to clone; all clones know the same offset.
#[derive(Clone, Debug)]
pub struct DatabaseClock {
    offset_micros: Arc<AtomicI64>,
}

impl Default for DatabaseClock {
    fn default() -> Self {
        Self { offset_micros: Arc::new(AtomicI64::new(UNKNOWN)) }
    }
}

impl DatabaseClock {
    /// Measures the offset: the fastest of three questions is the truest.
    ///
    /// # Errors
    /// The database is away; the last offset holds.
    pub async fn measure(&self, pool: &Pool) -> Result<(), StoreError> {
        let mut best: Option<(Duration, TimeDelta)> = None;
        for _ in 0..3 {
            let (asked_at, asked) = (Utc::now(), Instant::now());
            let answered = store::now(pool).await?;
            let took = asked.elapsed();
            let offset = answered - (asked_at + took / 2);
            if best.is_none_or(|(fastest, _)| took < fastest) {
                best = Some((took, offset));
            }
        }
        let micros = best.and_then(|(_, offset)| offset.num_microseconds()).unwrap_or(UNKNOWN);
        self.offset_micros.store(micros, Ordering::Relaxed);
        Ok(())
    }

    /// How far the database's clock is ahead of ours; none until it was measured.
    pub fn offset(&self) -> Option<TimeDelta> {
        Some(self.offset_micros.load(Ordering::Relaxed))
            .filter(|micros| *micros != UNKNOWN)
            .map(TimeDelta::microseconds)
    }

    /// Whether ids may be made by it: it was measured, and our clock is not far off.
    pub fn is_sound(&self) -> bool {
        self.offset().is_some_and(|offset| offset.abs().to_std().is_ok_and(|offset| offset <= LARGEST_OFFSET))
    }

    /// The database's time now.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.offset().unwrap_or_default()
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
