//! Runs that never were, in bulk: for trying searches, statistics and sizes on as many rows as a bank has after years.
//!
//! What is made follows from a number and a moment alone. People have names as they are had in Kazakhstan: some
//! surnames very often, many once, a few of two letters. Documents are of some two kilobytes, in both languages, with
//! the misread words that a reader leaves. Nothing of it is anybody's.

mod dice;
mod page_text;
mod person;
mod rows;
mod run;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::dice::Dice;

pub use rows::Batch;

/// What is to be made.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many runs.
    pub runs: u64,
    /// Made from then on, evenly.
    pub from: DateTime<Utc>,
    /// Until then.
    pub until: DateTime<Utc>,
    /// The same number gives the same runs.
    pub seed: u64,
    /// Of a run's text, about.
    pub text_bytes: usize,
    /// Whose runs they are: the first has most, each of the next an eighth of the one before.
    pub clients: Vec<Uuid>,
}

/// Runs of a batch.
pub const BATCH: u64 = 5_000;

/// How many of the newest runs have not ended.
const PROCESSING: u64 = 20;

impl Plan {
    /// How many batches it takes.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.runs.div_ceil(BATCH)
    }

    /// The rows of a batch. Any may be made before any other.
    #[must_use]
    pub fn batch(&self, number: u64) -> Batch {
        let mut batch = Batch::default();
        for index in number * BATCH..((number + 1) * BATCH).min(self.runs) {
            rows::write(&mut batch, self, &run::made(self, index));
        }
        batch
    }

    /// Dice of their own for whatever goes by this number.
    fn dice(&self, what: u64, index: u64) -> Dice {
        Dice::new(self.seed, what, index)
    }

    /// Whether this is one of the last, which have not ended yet.
    const fn is_processing(&self, index: u64) -> bool {
        index + PROCESSING >= self.runs && self.runs > 10 * PROCESSING
    }

    /// When the run of this number was submitted.
    fn submitted(&self, index: u64) -> DateTime<Utc> {
        let span = (self.until - self.from).num_milliseconds().max(1);
        let at = i128::from(span) * i128::from(index) / i128::from(self.runs.max(1));
        self.from + chrono::TimeDelta::milliseconds(i64::try_from(at).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            runs: 300,
            from: "2026-09-01T00:00:00Z".parse().expect("a time"),
            until: "2026-11-01T00:00:00Z".parse().expect("a time"),
            seed: 7,
            text_bytes: 2_000,
            clients: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
        }
    }

    #[test]
    fn the_same_number_makes_the_same_runs() {
        let (one, again) = (plan().batch(0), plan().batch(0));
        assert_eq!(one.runs, again.runs);
        assert_eq!(one.pages, again.pages);
        assert_ne!(one.runs, Plan { seed: 8, ..plan() }.batch(0).runs);
        assert_eq!(one.runs.lines().count(), 300);
        assert_eq!(one.jobs.lines().count(), 20);
    }

    #[test]
    fn a_run_has_as_much_text_as_was_asked_for() {
        let batch = plan().batch(0);
        let pages = batch.pages.lines().count();
        let per_run =
            batch.pages.len() / batch.pages.lines().filter(|line| line.split('\t').nth(2) == Some("1")).count();
        assert!(pages > 250 && (1_900..2_500).contains(&per_run), "{pages} pages, {per_run} bytes a run");
    }
}
