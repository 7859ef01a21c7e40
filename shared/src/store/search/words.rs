//! The runs of a span of time whose text has words: all that the index knows of, up to a bound.

use sqlx::Row as _;
use uuid::Uuid;

use super::super::StoreError;
use super::Filter;
use super::conditions::{self, COLUMNS, Said, Span};
use super::ordered::Order;
use super::slots::Session;

/// What a span holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// What fits, newest first; as many as were wanted at most.
    Runs(Vec<Uuid>),
    /// So many have these words that a shorter span is enough.
    TooMany,
}

/// Takes a span's runs by their words.
pub(super) async fn span(
    session: &mut Session,
    filter: &Filter,
    span: Span,
    most: i64,
    wanted: i64,
) -> Result<Found, StoreError> {
    let row = session
        .row(|query| {
            query.push(
                "WITH pages AS MATERIALIZED (SELECT p.run_id, p.generation FROM ocr_pages p \
                 WHERE page_words(p.run_words, p.text_content) @@ words_wanted(",
            );
            query.push_bind(filter.words.join(" ")).push(")");
            span.push(query, "p");
            query.push(" LIMIT ").push_bind(most + 1);
            query.push(
                "), found AS (SELECT DISTINCT p.run_id, p.generation FROM pages p WHERE (SELECT count(*) FROM pages) <= ",
            );
            query.push_bind(most);
            query.push(
                " ORDER BY p.run_id DESC) SELECT (SELECT count(*) FROM pages), ARRAY(SELECT r.run_id FROM found f \
                 CROSS JOIN LATERAL (SELECT ",
            );
            query.push(COLUMNS);
            query.push(
                " FROM verification_runs r WHERE r.run_id = f.run_id AND r.generation = f.generation OFFSET 0) AS r WHERE true",
            );
            conditions::push(query, filter, Said { name: false, words: true });
            query.push(" ORDER BY f.run_id DESC LIMIT ").push_bind(wanted).push(")");
        })
        .await?;
    if row.try_get::<i64, _>(0)? > most { Ok(Found::TooMany) } else { Ok(Found::Runs(row.try_get(1)?)) }
}

/// Where a way lies in a span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// The id behind the newest.
    pub(super) after_newest: Uuid,
    /// As far back as the first rows reach.
    pub(super) reach: Uuid,
    /// The oldest.
    pub(super) oldest: Uuid,
}

/// Where a way lies in a span, and how far its first `rows` rows reach; none: it has no rows there.
pub(super) async fn ends(
    session: &mut Session,
    order: &Order,
    span: Span,
    rows: i64,
) -> Result<Option<Ends>, StoreError> {
    let row = session
        .row(|query| {
            query.push("SELECT");
            for (number, end) in [" DESC", " DESC OFFSET ", ""].into_iter().enumerate() {
                query.push(if number == 0 { " (" } else { ", (" });
                query.push("SELECT r.run_id FROM verification_runs r WHERE true");
                if let Order::Client(client_id) = order {
                    query.push(" AND r.client_id = ").push_bind(*client_id);
                }
                span.push(query, "r");
                query.push(" ORDER BY r.run_id").push(end);
                if number == 1 {
                    query.push_bind(rows);
                }
                query.push(" LIMIT 1)");
            }
        })
        .await?;
    let (newest, reach, oldest): (Option<Uuid>, Option<Uuid>, Option<Uuid>) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(newest.zip(oldest).map(|(newest, oldest)| Ends {
        after_newest: Uuid::from_u128(newest.as_u128().saturating_add(1)),
        reach: reach.unwrap_or(oldest),
        oldest,
    }))
}

/// The beginning of the span before this one that is so many times as long.
pub(super) fn reaching(span: Span, times: f64) -> Uuid {
    let end = milliseconds(span.from);
    let length = milliseconds(span.before).saturating_sub(end).max(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length"
    )]
    let length = (length as f64 * times) as u64;
    id_at(end.saturating_sub(length))
}

/// The beginning of the last eighth of a span.
pub(super) fn shortened(span: Span) -> Uuid {
    let end = milliseconds(span.before);
    id_at(end.saturating_sub((end.saturating_sub(milliseconds(span.from)) / 8).max(1)))
}

/// Whether it cannot be made shorter.
pub(super) fn is_a_moment(span: Span) -> bool {
    milliseconds(span.before).saturating_sub(milliseconds(span.from)) <= 1
}

fn milliseconds(id: Option<Uuid>) -> u64 {
    id.map_or(0, |id| u64::try_from(id.as_u128() >> 80).unwrap_or(u64::MAX))
}

fn id_at(milliseconds: u64) -> Uuid {
    Uuid::from_u128(u128::from(milliseconds) << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_and_shrink_by_their_length() {
        let span = Span { from: Some(id_at(8_000)), before: Some(id_at(16_000)) };
        assert_eq!(reaching(span, 0.5), id_at(4_000));
        assert_eq!(reaching(span, 8.0), id_at(0));
        assert_eq!(shortened(span), id_at(15_000));
        assert!(!is_a_moment(span));
        assert!(is_a_moment(Span { from: Some(id_at(7)), before: Some(id_at(8)) }));
    }
}
