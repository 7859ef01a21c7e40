//! What is past its term, and taking it out of the database: in batches that lock few rows for a moment, or by whole
//! months whose rows are all in the archive. What is done with it is [`crate::retention`]'s to say.
//!
//! A row with a job stays: something is still owed for it.

mod delete;
mod documents;
mod due;
mod keys;
mod months;
mod rows;

pub use delete::delete_runs;
pub use documents::take_documents;
pub use due::{MonthDue, due_runs, month_due, window_end};
pub use keys::{remove_archived_runs, remove_idempotency_keys, spent_keys};
pub use months::{
    attach, attached, audit_tables, bury, detach, detached, drop_detached, not_archived, rows_in, unfinished_jobs,
};
pub use rows::{RowSource, first_rows, rows_of, source};

use chrono::{Months, NaiveDate, NaiveTime};
use uuid::Uuid;

/// The tables that hold a run's rows, the run's own first; each has the run's id in `run_id`.
pub const RUN_TABLES: [&str; 7] =
    ["verification_runs", "verification_errors", "ocr_pages", "llm_calls", "reviews", "callbacks", "callback_attempts"];

/// The table of audit events; its months are those of `event_id`, and so are those of tables that belong to it.
pub const AUDIT_TABLE: &str = "audit_events";

/// The ids of a month: the smallest that is in it, and the smallest that is after it.
#[must_use]
pub fn month_ids(month: NaiveDate) -> (Uuid, Uuid) {
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    (first_id(month), first_id(next))
}

/// The smallest id that a UUIDv7 made on this day in UTC or later can have.
#[must_use]
pub fn first_id(day: NaiveDate) -> Uuid {
    let millis = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
    Uuid::from_u128(u128::from(u64::try_from(millis).unwrap_or(0)) << 80)
}

/// The month, in UTC, that an id was made in.
#[must_use]
pub fn month_of_id(id: Uuid) -> Option<NaiveDate> {
    let millis = i64::try_from(id.as_u128() >> 80).ok()?;
    let day = chrono::DateTime::from_timestamp_millis(millis)?.date_naive();
    chrono::Datelike::with_day(&day, 1)
}

/// What a month's partition of a table is called.
fn partition(table: &str, month: NaiveDate) -> String {
    format!("{table}_{}", month.format("%Y_%m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_lies_in_the_month_it_was_made_in() {
        let month = NaiveDate::from_ymd_opt(2026, 5, 1).expect("a day");
        let (first, after) = month_ids(month);
        assert_eq!(month_of_id(first), Some(month));
        assert_eq!(month_of_id(Uuid::from_u128(after.as_u128() - 1)), Some(month));
        assert_eq!(month_of_id(after), NaiveDate::from_ymd_opt(2026, 6, 1));
        assert_eq!(partition("ocr_pages", month), "ocr_pages_2026_05");
    }
}
