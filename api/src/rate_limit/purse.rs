//! One client's permits in this process. Pure: time and what the database answered are passed in.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use shared::settings::RateLimit;
use shared::store::rate_windows::{Taken, Unused};
use uuid::Uuid;

/// Permits of one chunk, at most: what a process that dies takes with it until the window ends.
const LARGEST_CHUNK: u32 = 128;

/// How long a window that was found empty is believed to be empty. Another process may give permits back.
const BELIEVED_EMPTY: Duration = Duration::from_millis(250);

/// How a client stands after a submission: what the headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether this one is permitted.
    pub permitted: bool,
    /// The limit.
    pub limit: RateLimit,
    /// Submissions that the window has left, as far as this process knows.
    pub left: u32,
    /// When it ends.
    pub ends_at: Instant,
}

/// What a submission needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is decided.
    Nothing(Standing),
    /// So many permits are to be asked for, and then it is asked again.
    Permits(u32),
}

/// A window as the database named it.
#[derive(Clone, Copy, Debug)]
struct Window {
    start: DateTime<Utc>,
    /// By our own monotonic clock, and never later than by the database's.
    ends_at: Instant,
    /// Left for others, when we last asked.
    left: u32,
    /// When it was found empty.
    empty_since: Option<Instant>,
}

/// One client's permits in this process.
#[derive(Debug)]
pub struct Purse {
    limit: RateLimit,
    window: Option<Window>,
    /// Permits of `window` in hand.
    held: u32,
    /// Permits used since they were last counted.
    used: u32,
    /// Size of the next chunk: as many as were used of late, and twice as many for each time that was too few.
    ask: u32,
}

impl Purse {
    /// Without permits.
    pub const fn new(limit: RateLimit) -> Self {
        Self { limit, window: None, held: 0, used: 0, ask: 1 }
    }

    /// Decides a submission, or says what is needed to.
    pub fn decide(&mut self, limit: RateLimit, now: Instant) -> Need {
        if limit != self.limit {
            // What is held was taken under another limit. It counts as used until its window ends.
            *self = Self::new(limit);
        }
        let Some(window) = self.window.filter(|window| now < window.ends_at) else {
            self.held = 0;
            return Need::Permits(self.ask);
        };
        let standing = |permitted, left| Standing { permitted, limit, left, ends_at: window.ends_at };
        if self.held > 0 {
            self.held -= 1;
            self.used = self.used.saturating_add(1);
            return Need::Nothing(standing(true, window.left + self.held));
        }
        if window.empty_since.is_some_and(|since| now < since + BELIEVED_EMPTY) {
            return Need::Nothing(standing(false, 0));
        }
        Need::Permits(self.ask)
    }

    /// Takes in what the database answered to a question of `asked_at`, and decides the submission that asked.
    pub fn put(&mut self, taken: Taken, asked_at: Instant) -> Standing {
        // The database measured what is left of the window after we asked: by our clock it ends this early at least,
        // so that a permit is never used in the window after its own.
        let ends_at = asked_at + taken.ends_in;
        let same = self.window.filter(|window| window.start == taken.window_start);
        if same.is_none() {
            self.held = 0;
        }
        let ends_at = same.map_or(ends_at, |window| window.ends_at.max(ends_at));
        let empty_since = (taken.permits == 0).then_some(asked_at);
        self.window = Some(Window { start: taken.window_start, ends_at, left: taken.left, empty_since });
        self.held += taken.permits;
        self.ask = self.ask.saturating_mul(2).min(LARGEST_CHUNK);
        let permitted = self.held > 0;
        if permitted {
            self.held -= 1;
            self.used = self.used.saturating_add(1);
        }
        Standing { permitted, limit: self.limit, left: taken.left + self.held, ends_at }
    }

    /// What was not used since this was last asked, to be given back.
    pub fn unused(&mut self, client_id: Uuid, now: Instant) -> Option<Unused> {
        self.ask = self.used.clamp(1, LARGEST_CHUNK);
        self.used = 0;
        let window = self.window.filter(|window| now < window.ends_at)?;
        let permits = std::mem::take(&mut self.held);
        let unused = Unused { client_id, window: self.limit.window, window_start: window.start, permits };
        if permits == 0 {
            return None;
        }
        self.window = Some(Window { left: window.left + permits, ..window });
        Some(unused)
    }

    /// Whether there is nothing in it worth keeping.
    pub fn is_idle(&self, now: Instant) -> bool {
        self.used == 0 && self.held == 0 && self.window.is_none_or(|window| window.ends_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { count: 600, window: Duration::from_secs(60) };

    fn taken(permits: u32, left: u32, ends_in: u64) -> Taken {
        let window_start = "2026-11-25T08:00:00Z".parse().expect("a time");
        Taken { permits, left, window_start, ends_in: Duration::from_secs(ends_in) }
    }

    fn permitted(need: Need) -> bool {
        matches!(need, Need::Nothing(standing) if standing.permitted)
    }

    #[test]
    fn permits_are_used_one_by_one_and_more_are_asked_for_each_time() {
        let (mut purse, now) = (Purse::new(LIMIT), Instant::now());
        assert_eq!(purse.decide(LIMIT, now), Need::Permits(1));
        assert!(purse.put(taken(1, 599, 30), now).permitted);
        assert_eq!(purse.decide(LIMIT, now), Need::Permits(2));
        let standing = purse.put(taken(2, 597, 30), now);
        assert_eq!((standing.permitted, standing.left), (true, 598), "one in hand is left too");
        assert!(permitted(purse.decide(LIMIT, now)));
        assert_eq!(purse.decide(LIMIT, now), Need::Permits(4));
    }

    #[test]
    fn a_permit_is_worth_nothing_in_the_next_window() {
        let (mut purse, now) = (Purse::new(LIMIT), Instant::now());
        purse.put(taken(8, 0, 30), now);
        assert!(permitted(purse.decide(LIMIT, now + Duration::from_millis(29_999))));
        assert!(!permitted(purse.decide(LIMIT, now + Duration::from_secs(30))));
    }

    #[test]
    fn an_empty_window_refuses_without_asking_each_time_and_is_asked_again() {
        let (mut purse, now) = (Purse::new(LIMIT), Instant::now());
        let standing = purse.put(taken(0, 0, 30), now);
        assert_eq!((standing.permitted, standing.left, (standing.ends_at - now).as_secs()), (false, 0, 30));
        let Need::Nothing(standing) = purse.decide(LIMIT, now + BELIEVED_EMPTY / 2) else { panic!("it is known") };
        assert!(!standing.permitted);
        assert!(matches!(purse.decide(LIMIT, now + BELIEVED_EMPTY), Need::Permits(_)));
    }

    #[test]
    fn what_was_not_used_goes_back_once_and_the_next_chunk_is_as_large_as_the_use() {
        let (mut purse, now) = (Purse::new(LIMIT), Instant::now());
        purse.put(taken(8, 500, 30), now);
        assert!(permitted(purse.decide(LIMIT, now)));
        let unused = purse.unused(Uuid::nil(), now).expect("six are left");
        assert_eq!(unused.permits, 6);
        assert_eq!(purse.unused(Uuid::nil(), now), None);
        purse.put(taken(1, 505, 30), now);
        purse.unused(Uuid::nil(), now);
        assert_eq!(purse.decide(LIMIT, now), Need::Permits(1));
        assert!(!purse.is_idle(now));
        assert!(purse.is_idle(now + Duration::from_secs(30)));
    }

    #[test]
    fn another_limit_begins_anew() {
        let (mut purse, now) = (Purse::new(LIMIT), Instant::now());
        purse.put(taken(8, 500, 30), now);
        let other = RateLimit { count: 2, ..LIMIT };
        assert_eq!(purse.decide(other, now), Need::Permits(1));
    }
}
