//! Days and times as the old files write them.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::ids::OLD_ZONE;

/// No run of the old system is of a year before.
const FIRST_YEAR_BEGINS: NaiveDate = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");

/// `DD.MM.YYYY`, `YYYY-MM-DD` or `DD/MM/YYYY`, and nothing beside it.
#[must_use]
pub fn day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let numbers = |mark: char| -> Option<[u32; 3]> {
        let mut parts = text.split(mark).map(|part| {
            let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        });
        let three = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(three)
    };
    let date = |[year, month, day]: [u32; 3]| {
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day).filter(|_| (1900..2100).contains(&year))
    };
    let backwards = |[day, month, year]: [u32; 3]| date([year, month, day]);
    numbers('.')
        .and_then(backwards)
        .or_else(|| numbers('/').and_then(backwards))
        .or_else(|| numbers('-').and_then(date))
}

/// ISO 8601; without an offset it is the old server's.
#[must_use]
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    local.and_local_timezone(OLD_ZONE).single().map(|at| at.to_utc())
}

/// The moment that stands for a day whose run has no time: its noon, which is of that day (and month) in any zone
/// that such a run may be looked at from.
#[must_use]
pub fn noon(day: NaiveDate) -> Option<DateTime<Utc>> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0)?;
    day.and_time(noon).and_local_timezone(OLD_ZONE).single().map(|at| at.to_utc())
}

/// The old server's day of a moment.
#[must_use]
pub fn old_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&OLD_ZONE).date_naive()
}

/// Whether a run can be of this time: each month has its partitions, which nobody shall be able to have made by the
/// thousand.
#[must_use]
pub fn is_possible(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    let latest = now.checked_add_days(Days::new(1)).unwrap_or(now);
    old_day(at) >= FIRST_YEAR_BEGINS && at <= latest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_to_write_a_day_are_one() {
        let wanted = NaiveDate::from_ymd_opt(2023, 12, 4);
        for text in ["04.12.2023", "2023-12-04", "04/12/2023", " 4.12.2023 "] {
            assert_eq!(day(text), wanted, "{text}");
        }
        for text in ["", "31.02.2023", "04.12.23", "2023.12.04", "04.12.2023 г.", "04.12", "04.12.2023.1", "-1.12.2023"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_has_an_offset_or_is_the_old_servers() {
        let at = |text| time(text).map(|at| at.to_rfc3339());
        let wanted = Some("2025-12-20T05:30:00.123456+00:00".to_owned());
        assert_eq!(at("2025-12-20T10:30:00.123456+05:00"), wanted);
        assert_eq!(at("2025-12-20T10:30:00.123456"), wanted);
        assert_eq!(at("2025-12-20T10:30:00+05:00"), Some("2025-12-20T05:30:00+00:00".to_owned()));
        assert_eq!(at("20.12.2025"), None);
    }

    #[test]
    fn a_day_without_a_time_is_that_day_in_its_own_month() {
        let first = NaiveDate::from_ymd_opt(2025, 12, 1).expect("a day");
        let at = noon(first).expect("a time");
        assert_eq!((at.date_naive(), old_day(at)), (first, first));
    }

    #[test]
    fn no_run_is_of_the_future_or_of_long_ago() {
        let now = "2026-11-29T12:00:00Z".parse().expect("a time");
        let possible = |text: &str| is_possible(text.parse().expect("a time"), now);
        assert!(possible("2025-11-26T08:00:00Z") && possible("2026-11-30T11:00:00Z"));
        assert!(
            !possible("2019-12-31T08:00:00Z") && !possible("2026-12-01T08:00:00Z") && !possible("9999-01-01T00:00:00Z")
        );
    }
}
