//! What is asked for: from which day to which, and of whom. Every fault is named at once.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;
use shared::access::Scope;
use shared::store::api_keys::Caller;
use shared::store::clients;
use shared::store::stats::{LONGEST_LIST, Span};

use super::Covered;
use crate::problem::{FieldError, Problem};
use crate::reads;
use crate::request::RequestContext;
use crate::state::App;
use crate::wait::whole;

/// Days unless told: today and those before it.
const USUAL_DAYS: u64 = 30;
/// Days at most: ten years.
const MOST_DAYS: i64 = 3653;
/// Runs in a list unless told.
const USUAL_RUNS: i64 = 20;

/// A question that may be answered.
#[derive(Debug)]
pub struct Question {
    /// Which figures.
    pub span: Span,
    /// What the answer says of itself.
    pub covered: Covered,
    /// Runs in a list.
    pub limit: i64,
}

/// Reads a query for this caller: for its own figures, for an operator for those of all clients or of the one that
/// it names. What an operator looks at is kept.
///
/// # Errors
/// 422 with every fault; 503.
pub async fn ask(
    app: &App,
    caller: &Caller,
    context: &RequestContext,
    route: &'static str,
    query: Option<&str>,
    lists_runs: bool,
) -> Result<Question, Problem> {
    let sees_all = caller.scopes.contains(&Scope::Operator);
    let zone = app.rules.time_zone;
    let read = read(query.unwrap_or_default(), app.clock.now(), zone, sees_all, lists_runs)?;
    let client_id = match &read.client {
        Some(name) => Some(
            clients::find(&app.pool, name)
                .await?
                .map(|client| client.client_id)
                .ok_or_else(|| Problem::invalid(vec![FieldError::new("client", "is no client")]))?,
        ),
        None => (!sees_all).then_some(caller.client_id),
    };
    if sees_all {
        reads::note(app, caller, context, client_id, "stats.read", json!({ "route": route })).await?;
    }
    Ok(Question {
        span: Span { from: read.from, to: read.to, client_id },
        covered: Covered {
            created_from: read.from,
            created_to: read.to,
            time_zone: zone.name(),
            client: sees_all.then_some(read.client),
        },
        limit: read.limit,
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Read {
    from: NaiveDate,
    to: NaiveDate,
    client: Option<String>,
    limit: i64,
}

fn read(query: &str, now: DateTime<Utc>, zone: Tz, sees_all: bool, lists_runs: bool) -> Result<Read, Problem> {
    let (mut from, mut to, mut client, mut limit) = (None, None, None, USUAL_RUNS);
    let (mut faults, mut seen) = (Vec::new(), Vec::<String>::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let mut fault =
            |message: &str| faults.push(FieldError::new(name.chars().take(64).collect::<String>(), message));
        if seen.iter().any(|seen| *seen == name) {
            fault("stands more than once");
            continue;
        }
        seen.push(name.clone().into_owned());
        match name.as_ref() {
            "created_from" => from = day(&value, zone).map_err(fault).ok(),
            "created_to" => to = day(&value, zone).map_err(fault).ok(),
            "client" if sees_all => client = Some(value.into_owned()),
            "limit" if lists_runs => match whole(&value).and_then(|number| i64::try_from(number).ok()) {
                Some(number) if (1..=LONGEST_LIST).contains(&number) => limit = number,
                _ => fault("must be a whole number from 1 to 50"),
            },
            _ => fault("is nothing that figures can be asked by"),
        }
    }
    let today = now.with_timezone(&zone).date_naive();
    let to = to.unwrap_or_else(|| today.max(from.unwrap_or(today)));
    let usual = to.checked_sub_days(Days::new(USUAL_DAYS - 1)).unwrap_or(to);
    let from = from.unwrap_or(usual);
    if faults.is_empty() && from > to {
        faults.push(FieldError::new("created_from", "must not be after created_to"));
    } else if faults.is_empty() && (to - from).num_days() >= MOST_DAYS {
        faults.push(FieldError::new("created_from", "must be less than 3653 days before created_to"));
    }
    if faults.is_empty() { Ok(Read { from, to, client, limit }) } else { Err(Problem::invalid(faults)) }
}

/// A day in `TIME_ZONE`, or that of a moment (RFC 3339): figures are of whole days.
fn day(value: &str, zone: Tz) -> Result<NaiveDate, &'static str> {
    let day = value.parse::<NaiveDate>().ok().or_else(|| {
        // A plus that was not escaped arrives as a space.
        let at = DateTime::parse_from_rfc3339(&value.replace(' ', "+")).ok()?;
        Some(at.with_timezone(&zone).date_naive())
    });
    // PostgreSQL's days end earlier than chrono's, and no run is of another age.
    day.filter(|day| (1970..=9999).contains(&chrono::Datelike::year(day)))
        .ok_or("must be a day such as 2026-11-22 or a time such as 2026-11-22T08:11:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALMATY: Tz = chrono_tz::Asia::Almaty;

    /// Half past one on the 26th in Almaty.
    fn now() -> DateTime<Utc> {
        "2026-11-25T20:30:00Z".parse().expect("a time")
    }

    fn good(query: &str) -> Read {
        read(query, now(), ALMATY, true, true).expect("is good")
    }

    fn faults(query: &str, sees_all: bool, lists_runs: bool) -> Vec<String> {
        let problem = read(query, now(), ALMATY, sees_all, lists_runs).expect_err("is refused");
        problem.errors.into_iter().map(|fault| fault.field).collect()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn unless_told_thirty_days_are_meant_and_today_is_the_last() {
        let all = good("");
        assert_eq!((all.from, all.to, all.limit), (date("2026-10-28"), date("2026-11-26"), 20));
        assert_eq!(good("created_to=2026-03-30").from, date("2026-03-01"));
        assert_eq!(good("created_from=2026-01-01").to, date("2026-11-26"));
    }

    #[test]
    fn a_moment_stands_for_its_day_in_the_time_zone() {
        let read = good("created_from=2026-11-21T18:59:59Z&created_to=2026-11-21T19:00:00%2B00:00");
        assert_eq!((read.from, read.to), (date("2026-11-21"), date("2026-11-22")));
    }

    #[test]
    fn every_fault_is_named() {
        let query = "created_from=x&created_to=2026-13-01&limit=51&stat=1&limit=5";
        assert_eq!(faults(query, true, true).join(" "), "created_from created_to limit stat limit");
        assert_eq!(faults("created_from=2026-11-02&created_to=2026-11-01", true, true), ["created_from"]);
        assert_eq!(faults("created_from=2000-01-01", true, true), ["created_from"]);
        assert_eq!(faults("created_from=-4000-01-01&created_to=99999-01-01", true, true).len(), 2);
        assert_eq!(faults("client=shop&limit=1", false, false), ["client", "limit"]);
    }
}
