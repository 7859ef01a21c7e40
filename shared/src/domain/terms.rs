//! How long a run and its document are kept. A term of whole days is over when a day begins, so that all of a day goes
//! together and people can say which: what began on day D and is kept for N days is past its term from the first
//! moment of day D + N, days being those of `TIME_ZONE`. Any other term (12 hours) is over to the moment.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::Status;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// No run is older: a UUIDv7 cannot be.
const BEFORE_ALL: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The terms, as settings have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Of a run with a verdict.
    pub success: Duration,
    /// Of a run in error.
    pub error: Duration,
    /// Of a document and the pictures of its pages.
    pub document: Duration,
    /// Of an audit event.
    pub audit: Duration,
    /// Whose days are meant.
    pub zone: Tz,
}

/// The same at one moment: what began before is past its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs {
    /// Of runs with a verdict.
    pub success: DateTime<Utc>,
    /// Of runs in error.
    pub error: DateTime<Utc>,
    /// Of documents.
    pub document: DateTime<Utc>,
    /// Of audit events.
    pub audit: DateTime<Utc>,
}

/// From when a run's terms count: its import, else its creation.
#[must_use]
pub fn counts_from(created_at: DateTime<Utc>, retain_from: Option<DateTime<Utc>>) -> DateTime<Utc> {
    retain_from.unwrap_or(created_at)
}

impl Terms {
    /// What is past its term at this moment.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> Cutoffs {
        let cutoff = |term| cutoff(term, now, self.zone);
        Cutoffs {
            success: cutoff(self.success),
            error: cutoff(self.error),
            document: cutoff(self.document),
            audit: cutoff(self.audit),
        }
    }
}

impl Cutoffs {
    /// Whether a run whose term counts from `from` is past it. One that is processing never is.
    #[must_use]
    pub fn run_is_past(&self, status: Status, from: DateTime<Utc>) -> bool {
        match status {
            Status::Processing => false,
            Status::Success => from < self.success,
            Status::Error => from < self.error,
        }
    }

    /// Whether the document of a run is past its term, which begins with the run's. That of a run which is
    /// processing is, too, should it be so old: nobody may read it any more.
    #[must_use]
    pub fn document_is_past(&self, from: DateTime<Utc>) -> bool {
        from < self.document
    }

    /// Whatever became of it: a run that began before is past its term.
    #[must_use]
    pub fn every_run(&self) -> DateTime<Utc> {
        self.success.min(self.error)
    }

    /// A run that began since is not past any term.
    #[must_use]
    pub fn no_run(&self) -> DateTime<Utc> {
        self.success.max(self.error)
    }
}

fn cutoff(term: Duration, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    if term.as_secs().is_multiple_of(DAY_SECONDS) && term.subsec_nanos() == 0 {
        let today = now.with_timezone(&zone).date_naive();
        let first_kept = today.checked_add_days(Days::new(1)).zip(Some(Days::new(term.as_secs() / DAY_SECONDS)));
        let first_kept = first_kept.and_then(|(tomorrow, days)| tomorrow.checked_sub_days(days));
        return first_kept.map_or(BEFORE_ALL, |day| start_of(day, zone).max(BEFORE_ALL));
    }
    // The moment itself is past: what began exactly a term ago has had its term.
    let began = TimeDelta::from_std(term).ok().and_then(|term| now.checked_sub_signed(term));
    began.map_or(BEFORE_ALL, |began| (began + TimeDelta::microseconds(1)).max(BEFORE_ALL))
}

/// The first moment of a day, and the first after it.
#[must_use]
pub fn bounds_of(day: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    (start_of(day, zone), start_of(day.succ_opt().unwrap_or(day), zone))
}

/// The first moment of a day; where its midnight was skipped, the first that there was. None: there was no such day.
#[must_use]
pub fn begins(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = day.and_time(NaiveTime::MIN);
    let there = |hours| zone.from_local_datetime(&(midnight + TimeDelta::hours(hours))).earliest();
    (0..24).find_map(there).map(|at| at.with_timezone(&Utc))
}

fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    begins(day, zone).unwrap_or_else(|| day.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms() -> Terms {
        let days = |days| Duration::from_secs(days * DAY_SECONDS);
        Terms {
            success: days(90),
            error: days(180),
            document: days(30),
            audit: days(5 * 365),
            zone: chrono_tz::Asia::Almaty,
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_run_is_past_its_term_from_the_first_moment_of_the_day_and_not_before() {
        // Almaty is five hours ahead: the run began on 1 January there, late in the evening.
        let from = at("2026-01-01T18:30:00Z");
        let past = |status, now: &str| terms().at(at(now)).run_is_past(status, from);
        // 90 days later it is 1 April, which begins at 19:00 of 31 March in UTC.
        assert!(!past(Status::Success, "2026-03-31T18:59:59.999999Z"));
        assert!(past(Status::Success, "2026-03-31T19:00:00Z"));
        assert!(!past(Status::Error, "2026-03-31T19:00:00Z"));
        assert!(!past(Status::Error, "2026-06-29T18:59:59Z"));
        assert!(past(Status::Error, "2026-06-29T19:00:00Z"));
        assert!(!past(Status::Processing, "2036-01-01T00:00:00Z"));
    }

    #[test]
    fn an_hour_later_in_utc_may_be_a_day_later_in_the_zone() {
        let past = |from: &str| terms().at(at("2026-03-31T19:00:00Z")).run_is_past(Status::Success, at(from));
        assert!(past("2026-01-01T18:59:59Z"), "still 1 January in Almaty");
        assert!(!past("2026-01-01T19:00:00Z"), "2 January in Almaty");
    }

    #[test]
    fn a_document_goes_after_its_own_term() {
        let from = at("2026-01-01T12:00:00Z");
        assert!(!terms().at(at("2026-01-30T18:59:59Z")).document_is_past(from));
        assert!(terms().at(at("2026-01-30T19:00:00Z")).document_is_past(from));
    }

    #[test]
    fn an_imported_run_counts_from_its_import() {
        let (created, imported) = (at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(counts_from(created, None), created);
        assert_eq!(counts_from(created, Some(imported)), imported);
    }

    #[test]
    fn a_term_of_hours_is_over_to_the_moment_and_one_of_nothing_at_once() {
        let hours = Terms { success: Duration::from_secs(12 * 3600), ..terms() };
        let past = |now: &str| hours.at(at(now)).run_is_past(Status::Success, at("2026-01-01T00:00:00Z"));
        assert!(!past("2026-01-01T11:59:59.999Z") && past("2026-01-01T12:00:00Z"));
        let nothing = Terms { success: Duration::ZERO, ..terms() };
        let now = at("2026-01-01T00:00:00Z");
        assert!(nothing.at(now).run_is_past(Status::Success, now));
    }

    #[test]
    fn a_term_longer_than_time_is_never_over() {
        let never = Terms { success: Duration::from_secs(u64::MAX / DAY_SECONDS * DAY_SECONDS), ..terms() };
        let very_old = DateTime::<Utc>::from_timestamp(0, 0).expect("a time");
        assert!(!never.at(at("2026-01-01T00:00:00Z")).run_is_past(Status::Success, very_old));
    }

    proptest! {
        #[test]
        fn a_term_of_days_is_neither_a_day_too_long_nor_a_day_too_short(from in 0_i64..4_000_000_000, later in 0_i64..20_000_000) {
            let (from, now) = (DateTime::from_timestamp(from, 0).expect("a time"), DateTime::from_timestamp(from + later, 0).expect("a time"));
            let past = terms().at(now).run_is_past(Status::Success, from);
            // A day may have 25 hours, or 23.
            if later >= 90 * 86_400 + 3600 { prop_assert!(past); }
            if later < 89 * 86_400 - 3600 { prop_assert!(!past); }
        }
    }
}
