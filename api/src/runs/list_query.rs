//! The query of a listing: every fault named at once, unknown names too, since a filter with a typing error
//! would answer with runs that were not asked for.

use chrono::{DateTime, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use shared::domain::names::{fio_search, may_stand};
use shared::domain::terms::begins;
use shared::store::search::{Filter, MAX_WORDS};
use uuid::Uuid;

use super::cursor::{self, Binding};
use crate::problem::{Code, FieldError, Problem};
use crate::wait::whole;

const LIMIT: usize = 50;
const MOST: usize = 200;

/// Bytes of a query, at most.
const LONGEST: usize = 16 * 1024;

/// What is to be listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Which runs.
    pub filter: Filter,
    /// How many.
    pub limit: usize,
    /// Older than this one.
    pub after: Option<Uuid>,
    /// What the next cursor is bound to.
    pub binding: Binding,
}

/// Reads a query for runs of `client_id`; all runs where none.
///
/// # Errors
/// 422 with every fault; 400 for a cursor that is none, or of another query.
pub fn read(query: &str, client_id: Option<Uuid>, time_zone: Tz) -> Result<ListQuery, Problem> {
    if query.len() > LONGEST {
        return Err(Problem::new(Code::MalformedRequest, "The query is longer than 16 KiB."));
    }
    let mut filter = Filter { client_id, ..Filter::default() };
    let (mut limit, mut cursor, mut faults) = (LIMIT, None, Vec::new());
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let mut fault =
            |message: &str| faults.push(FieldError::new(name.chars().take(64).collect::<String>(), message));
        if seen.iter().any(|seen| *seen == name) {
            fault("stands more than once");
            continue;
        }
        seen.push(name.clone().into_owned());
        if value.contains(char::REPLACEMENT_CHARACTER) {
            fault("must be UTF-8");
            continue;
        }
        match name.as_ref() {
            "status" => filter.status = value.parse().map_err(|_| fault("must be processing, success or error")).ok(),
            "verdict" => filter.verdict = value.parse().map_err(|_| fault("must be true or false")).ok(),
            "error_code" => filter.error_code = value.parse().map_err(|_| fault("must be an error code of a run")).ok(),
            "fio" => filter.fio_search = part_of_a_name(&value).map_err(fault).ok(),
            "q" => filter.words = words(&value).map_err(fault).unwrap_or_default(),
            "created_from" => filter.from = at(&value, time_zone).map(|span| floor(span.0)).map_err(fault).ok(),
            "created_to" => filter.before = at(&value, time_zone).map(|span| floor(span.1)).map_err(fault).ok(),
            "external_request_id" => filter.external_request_id = text(&value).map_err(fault).ok(),
            "iin" => filter.iin = iin(&value).map_err(fault).ok(),
            "limit" => match whole(&value).and_then(|number| usize::try_from(number).ok()) {
                Some(number) if (1..=MOST).contains(&number) => limit = number,
                _ => fault("must be a whole number from 1 to 200"),
            },
            "cursor" => cursor = Some(value.into_owned()),
            _ => fault("is no filter of a listing"),
        }
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let binding = Binding::new(&format!("{filter:?}"));
    let invalid = |_| Problem::new(Code::InvalidCursor, "The cursor is none of this query.");
    let after = cursor.map(|cursor| cursor::read(&cursor, binding)).transpose().map_err(invalid)?;
    Ok(ListQuery { filter, limit, after, binding })
}

fn text(value: &str) -> Result<String, &'static str> {
    let good = !value.is_empty() && value.len() <= 1024 && !value.contains('\0');
    if good { Ok(value.to_owned()) } else { Err("must have 1 to 1024 bytes") }
}

fn iin(value: &str) -> Result<String, &'static str> {
    let good = value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(value.to_owned()) } else { Err("must be 12 digits") }
}

/// A sign that no name has is a slip or a pattern. It would find nothing, which says less than a refusal.
fn part_of_a_name(value: &str) -> Result<String, &'static str> {
    let part = fio_search(&text(value)?);
    if !part.chars().all(may_stand) {
        return Err("may contain only letters, hyphens, apostrophes and dots: a part of a name needs no wildcard");
    }
    if part.chars().any(char::is_alphabetic) { Ok(part) } else { Err("must hold a letter") }
}

/// What has neither letter nor digit is no word, and stands in no index.
fn words(value: &str) -> Result<Vec<String>, &'static str> {
    let parts = text(value)?;
    let words: Vec<String> = parts
        .split_whitespace()
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .map(ToOwned::to_owned)
        .collect();
    if (1..=MAX_WORDS).contains(&words.len()) { Ok(words) } else { Err("must hold 1 to 10 words") }
}

/// A moment (RFC 3339) or a day in `TIME_ZONE`: from when on, and before when, what was created at it was created.
fn at(value: &str, time_zone: Tz) -> Result<(DateTime<Utc>, DateTime<Utc>), &'static str> {
    const WRONG: &str = "must be a time such as 2026-11-22T08:11:00Z or a day such as 2026-11-22";
    if let Ok(day) = value.parse::<NaiveDate>() {
        let next = day.checked_add_days(Days::new(1));
        let begins = |day| begins(day, time_zone);
        return begins(day).zip(next.and_then(begins)).ok_or(WRONG);
    }
    // A plus that was not escaped arrives as a space.
    let at = DateTime::parse_from_rfc3339(&value.replace(' ', "+")).map_err(|_| WRONG)?.with_timezone(&Utc);
    let millisecond = at.trunc_subsecs(3);
    let next = millisecond + TimeDelta::milliseconds(1);
    Ok((if millisecond == at { at } else { next }, next))
}

/// The smallest id made at this time.
fn floor(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0) & ((1 << 48) - 1);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests {
    use shared::domain::{ErrorCode, Status};

    use super::*;

    const ALMATY: Tz = chrono_tz::Asia::Almaty;

    fn good(query: &str) -> ListQuery {
        read(query, None, ALMATY).expect("is good")
    }

    fn faults(query: &str) -> Vec<String> {
        let problem = read(query, None, ALMATY).expect_err("is refused");
        problem.errors.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn filters_are_read() {
        let query = good("status=error&verdict=false&error_code=OCR_FAILED&iin=012345678901&limit=200");
        assert_eq!(query.filter.status, Some(Status::Error));
        assert_eq!(query.filter.verdict, Some(false));
        assert_eq!(query.filter.error_code, Some(ErrorCode::OcrFailed));
        assert_eq!(query.filter.iin.as_deref(), Some("012345678901"));
        assert_eq!(query.limit, 200);
        assert_eq!(good("").limit, 50);
    }

    #[test]
    fn every_fault_is_named() {
        let query = "status=x&verdict=1&error_code=X&q=&created_from=x&created_to=&iin=1&limit=0&stauts=error&limit=5";
        let named = "status verdict error_code q created_from created_to iin limit stauts limit";
        assert_eq!(faults(query).join(" "), named);
        assert_eq!(faults("limit=201"), ["limit"]);
        assert_eq!(faults("limit=%2B5&q=%ff"), ["limit", "q"]);
        assert_eq!(faults("q=%E2%80%94%20!"), ["q"]);
        for wildcard in ["%25", "%D0%B8%D0%B2%25", "_", "*", "%3F", "-", "."] {
            assert_eq!(faults(&format!("fio={wildcard}")), ["fio"]);
        }
    }

    #[test]
    fn a_query_has_an_end() {
        let query = format!("q={}", "a".repeat(5_000_000));
        let problem = read(&query, None, ALMATY).expect_err("is refused");
        assert_eq!(problem.code, Code::MalformedRequest);
    }

    #[test]
    fn a_day_is_a_day_of_the_time_zone_and_both_ends_belong_to_it() {
        let query = good("created_from=2026-11-22&created_to=2026-11-22");
        let time = |text: &str| floor(text.parse().expect("a time"));
        assert_eq!(query.filter.from, Some(time("2026-11-21T19:00:00Z")));
        assert_eq!(query.filter.before, Some(time("2026-11-22T19:00:00Z")));
    }

    #[test]
    fn a_moment_includes_what_was_created_at_it() {
        let query = good("created_from=2026-11-22T08:00:00.123Z&created_to=2026-11-22T13:00:00.123%2B05:00");
        let time = |text: &str| floor(text.parse().expect("a time"));
        assert_eq!(query.filter.from, Some(time("2026-11-22T08:00:00.123Z")));
        assert_eq!(query.filter.before, Some(time("2026-11-22T08:00:00.124Z")));
        assert_eq!(good("created_to=2026-11-22T13:00:00.123+05:00").filter.before, query.filter.before);
    }

    #[test]
    fn a_cursor_is_of_its_own_query() {
        let query = good("status=error");
        let cursor = cursor::write(Uuid::from_u128(9), query.binding);
        assert_eq!(good(&format!("status=error&limit=7&cursor={cursor}")).after, Some(Uuid::from_u128(9)));
        let other = read(&format!("cursor={cursor}"), None, ALMATY).expect_err("is refused");
        assert_eq!(other.code, Code::InvalidCursor);
        let stranger = read(&format!("status=error&cursor={cursor}"), Some(Uuid::nil()), ALMATY);
        assert_eq!(stranger.expect_err("is refused").code, Code::InvalidCursor);
    }
}
