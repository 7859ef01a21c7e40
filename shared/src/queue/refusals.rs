//! A session that the broker goes on refusing messages on. A channel that first publishes to a queue whose leader has
//! just died may be told of the dead node as its leader, and keeps to that: it refuses everything until that node is
//! back, while every other channel publishes. So refusals that go on end the session, like any other fault; a new
//! channel is told anew.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::jobs::Lane;

/// How long a queue may refuse without taking anything in between; longer than an election.
const PATIENCE: Duration = Duration::from_secs(1);

/// Since when each queue has refused.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<[Option<Instant>; Lane::ALL.len()]>);

impl Refusals {
    /// The queue took a message.
    pub(super) fn taken(&self, lane: Lane) {
        self.change(lane, |since| *since = None);
    }

    /// The queue refused one. True: it has done nothing else for too long.
    pub(super) fn refused(&self, lane: Lane, now: Instant) -> bool {
        let mut over = false;
        self.change(lane, |since| over = now.saturating_duration_since(*since.get_or_insert(now)) >= PATIENCE);
        over
    }

    fn change(&self, lane: Lane, change: impl FnOnce(&mut Option<Instant>)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = Lane::ALL.iter().position(|known| *known == lane).and_then(|at| all.get_mut(at)) {
            change(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_that_go_on_end_the_session_and_those_of_a_moment_do_not() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        assert!(!refusals.refused(Lane::Erase, begin));
        assert!(!refusals.refused(Lane::Erase, begin + PATIENCE / 2));
        assert!(refusals.refused(Lane::Erase, begin + PATIENCE));
    }

    #[test]
    fn a_queue_that_took_something_in_between_is_not_what_another_is_told_by() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        assert!(!refusals.refused(Lane::RunsNormal, begin));
        assert!(!refusals.refused(Lane::Callbacks, begin));
        refusals.taken(Lane::RunsNormal);
        assert!(!refusals.refused(Lane::RunsNormal, begin + PATIENCE));
        assert!(refusals.refused(Lane::Callbacks, begin + PATIENCE));
    }
}
