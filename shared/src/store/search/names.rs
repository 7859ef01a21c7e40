//! The runs of a month whose name has a part: all that an index knows of, up to a bound.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};
use sqlx::Row as _;
use uuid::Uuid;

use super::super::StoreError;
use super::Filter;
use super::conditions::{self, COLUMNS, NamePart, Said, Span};
use super::slots::Session;

/// What a month holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Month {
    /// What fits, newest first; as many as were wanted at most.
    Found(Vec<Uuid>),
    /// So many have such a name that a walk is the better way.
    TooMany,
}

/// Takes a month's runs by their name. `month` is as its partition has it: what lies in the middle of it would have
/// the planner choose between indexes by what it believes of the name.
pub(super) async fn month(
    session: &mut Session,
    filter: &Filter,
    name: &NamePart,
    month: Span,
    span: Span,
    most: i64,
    wanted: i64,
) -> Result<Month, StoreError> {
    let row = session
        .row(|query| {
            query
                .push("WITH named AS MATERIALIZED (SELECT ")
                .push(COLUMNS)
                .push(" FROM verification_runs r WHERE true");
            month.push(query, "r");
            name.push_indexed(query);
            query.push(" LIMIT ").push_bind(most + 1);
            query.push("), span AS MATERIALIZED (SELECT * FROM named r WHERE (SELECT count(*) FROM named) <= ");
            query.push_bind(most);
            span.push(query, "r");
            query.push(") SELECT (SELECT count(*) FROM named), ARRAY(SELECT r.run_id FROM span r WHERE true");
            conditions::push(query, filter, Said { name: true, words: false });
            query.push(" ORDER BY r.run_id DESC LIMIT ").push_bind(wanted).push(")");
        })
        .await?;
    if row.try_get::<i64, _>(0)? > most { Ok(Month::TooMany) } else { Ok(Month::Found(row.try_get(1)?)) }
}

/// The first days of the months that there are partitions for, newest first.
pub(super) async fn months(session: &mut Session) -> Result<Vec<NaiveDate>, StoreError> {
    let row = session
        .row(|query| {
            query.push(
                "SELECT ARRAY(SELECT to_date(right(c.relname, 7), 'YYYY_MM') FROM pg_inherits i \
                 JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'verification_runs'::regclass ORDER BY 1 DESC)",
            );
        })
        .await?;
    Ok(row.try_get(0)?)
}

/// A month's ids.
pub(super) fn ids_of(month: NaiveDate) -> Span {
    let begins = |day: NaiveDate| floor(day.and_time(NaiveTime::MIN).and_utc());
    let next = month.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
    Span { from: Some(begins(month)), before: next.map(begins) }
}

/// The smallest id made at this time.
fn floor(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0) & ((1 << 48) - 1);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_month_end_where_those_of_the_next_begin() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let november = ids_of(day("2026-11-01"));
        assert_eq!(november.before, ids_of(day("2026-12-01")).from);
        assert_eq!(november.from.map(|id| id.to_string()[..13].to_owned()).as_deref(), Some("01a19467-e800"));
    }
}
