//! The bound on runs that wait: over `BACKLOG_MAX` intake refuses. The backlog is not counted for each request: the
//! figure is read again twice a second at most, and only while there are submissions; what this process has accepted
//! since, and what it is about to, is added to it. So one process never goes beyond the bound, and several only by
//! what the others accept until the next look.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::store::{Pool, StoreError, jobs};

use crate::problem::{Code, Problem};

/// How long a figure is believed, at least and at most. In between so long that counting takes a twentieth of the time.
const BELIEVED: Duration = Duration::from_millis(500);
const BELIEVED_AT_MOST: Duration = Duration::from_secs(2);
const PART_OF_TIME: u32 = 20;

/// When whoever is refused is asked to come back: a full backlog takes a while.
const COME_BACK: Duration = Duration::from_secs(30);

/// What is known of the backlog.
#[derive(Debug)]
pub struct Backlog {
    /// `BACKLOG_MAX`.
    most: u64,
    known: Mutex<Known>,
    /// One reads, others wait for what it reads; holds when that failed.
    reading: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// What the database said, and until when it is believed.
    counted: Option<(u64, Instant)>,
    /// Accepted here since it was asked.
    accepted: u64,
    /// Admitted here and neither accepted nor refused yet.
    arriving: u64,
}

impl Known {
    /// Whether there is room for one more; none: nobody knows.
    fn has_room(&self, most: u64, now: Instant) -> Option<bool> {
        let (counted, _) = self.counted.filter(|(_, until)| now < *until)?;
        Some(counted.saturating_add(self.accepted).saturating_add(self.arriving) < most)
    }
}

impl Backlog {
    /// With this bound.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        Self { most, known: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more run.
    ///
    /// # Errors
    /// 503 where the backlog is full, or the database is away.
    pub async fn place(self: &Arc<Self>, pool: &Pool) -> Result<Place, Problem> {
        if let Some(decided) = self.decide() {
            return decided;
        }
        let came_at = Instant::now();
        let mut failed_at = self.reading.lock().await;
        if let Some(decided) = self.decide() {
            return decided;
        }
        if failed_at.is_some_and(|at| at >= came_at) {
            // Whoever waited for a read that failed does not wait for another one of its own.
            return Err(Problem::new(Code::DatabaseUnavailable, "The database is unavailable; nothing was changed."));
        }
        let read = self.read(pool).await;
        *failed_at = read.is_err().then(Instant::now);
        read?;
        self.decide().unwrap_or_else(|| Err(full()))
    }

    fn decide(self: &Arc<Self>) -> Option<Result<Place, Problem>> {
        let mut known = self.known();
        if !known.has_room(self.most, Instant::now())? {
            return Some(Err(full()));
        }
        known.arriving += 1;
        Some(Ok(Place(Arc::clone(self))))
    }

    async fn read(&self, pool: &Pool) -> Result<(), StoreError> {
        let (before, began) = (self.known().accepted, Instant::now());
        let waiting = jobs::waiting_runs(pool, self.most).await?;
        let mut known = self.known();
        // What was accepted while the question was under way may be in the figure or not: it is added.
        known.accepted -= before;
        known.counted = Some((waiting, Instant::now() + believed_for(began.elapsed())));
        Ok(())
    }
}

/// How long a figure is believed that took so long to count.
fn believed_for(took: Duration) -> Duration {
    took.saturating_mul(PART_OF_TIME).clamp(BELIEVED, BELIEVED_AT_MOST)
}

fn full() -> Problem {
    Problem::new(Code::BacklogFull, "Too many runs wait already.").retry_after(COME_BACK)
}

/// A place in the backlog; free again when it is dropped, unless a run took it.
#[derive(Debug)]
pub struct Place(Arc<Backlog>);

impl Place {
    /// A run began.
    pub fn taken(self) {
        self.0.known().accepted += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.known().arriving -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(backlog: &Backlog, count: u64) {
        backlog.known().counted = Some((count, Instant::now() + Duration::from_secs(3600)));
    }

    #[test]
    fn what_was_accepted_and_what_arrives_counts_until_the_next_look() {
        let backlog = Arc::new(Backlog::new(5));
        assert!(backlog.decide().is_none(), "nothing is known yet");
        counted(&backlog, 2);
        let place = || backlog.decide().expect("the figure is new");
        let [one, two, three] = [(); 3].map(|()| place().expect("there is room"));
        assert_eq!(place().expect_err("it is full").code, Code::BacklogFull);
        one.taken();
        assert!(place().is_err(), "a run that began keeps its place");
        drop(two);
        let four = place().expect("a place is free again");
        drop((three, four));
        let known = *backlog.known();
        assert_eq!((known.arriving, known.accepted), (0, 1));
    }

    #[test]
    fn an_old_figure_decides_nothing() {
        let now = Instant::now();
        let known = Known { counted: Some((0, now + BELIEVED)), ..Known::default() };
        assert_eq!(known.has_room(1, now), Some(true));
        assert_eq!(known.has_room(1, now + BELIEVED), None);
        let times = [1, 50, 5_000].map(|ms| believed_for(Duration::from_millis(ms)).as_millis());
        assert_eq!(times, [500, 1_000, 2_000]);
    }
}
