//! Figures of all runs that ended. The statement that ends a run inserts one narrow row (a delta) beside it; a duty
//! adds deltas up into figures by day and client; who reads adds what is not added up yet. Counts and sums are exact
//! at every moment, nothing that ends a run waits for another, and the figures stay when the runs are gone.
//!
//! What is counted is each generation's end: a run that was retried has ended once in an error and once more. A run
//! that is erased stays counted, since figures name nobody; a run erased before its end never was. Days are those of
//! the run's creation, in `TIME_ZONE`.

mod fold;
mod read;
mod rebuild;

pub use fold::{BATCH, fold};
pub use read::{
    Calls, Codes, DayCounts, DocType, Figures, HourCounts, LONGEST_LIST, Latency, Measure, Span, codes, daily, latency,
    llm, recent_failures, slow_runs,
};
pub use rebuild::{days_to_rebuild, rebuild_day};

/// How far a percentile may be from the true one, as a part of it: the width of `stats_bucket`'s buckets.
pub const PERCENTILE_ERROR: f64 = 0.02;

/// Begins a transaction that sees one moment from its first statement on.
const ONE_MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
