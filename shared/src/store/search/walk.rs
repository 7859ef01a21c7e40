//! A piece of a walk: so many rows along an order, and of those what fits.

use sqlx::Row as _;
use uuid::Uuid;

use super::super::StoreError;
use super::Filter;
use super::conditions::{self, Said, Span};
use super::ordered::Order;
use super::slots::Session;

/// What a piece of work found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// What fits, newest first; as many as were wanted at most.
    pub(super) run_ids: Vec<Uuid>,
    /// Rows that were looked at.
    pub(super) rows: i64,
    /// The oldest of them.
    pub(super) last: Option<Uuid>,
}

/// Looks at `rows` rows.
pub(super) async fn piece(
    session: &mut Session,
    order: &Order,
    filter: &Filter,
    said: Said,
    span: Span,
    rows: i64,
    wanted: i64,
) -> Result<Piece, StoreError> {
    let row = session
        .row(|query| {
            query.push("WITH span AS MATERIALIZED (");
            order.push(query, span, rows);
            query.push(
                ") SELECT (SELECT count(*) FROM span), (SELECT run_id FROM span ORDER BY run_id LIMIT 1), \
                 ARRAY(SELECT r.run_id FROM span r WHERE true",
            );
            conditions::push(query, filter, said);
            query.push(" ORDER BY r.run_id DESC LIMIT ").push_bind(wanted).push(")");
        })
        .await?;
    Ok(Piece { rows: row.try_get(0)?, last: row.try_get(1)?, run_ids: row.try_get(2)? })
}
