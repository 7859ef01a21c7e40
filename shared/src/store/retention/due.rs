//! What is past its term.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::terms::Cutoffs;
use crate::store::{Pool, StoreError};

/// What is due in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthDue {
    /// Runs there are.
    pub runs: i64,
    /// Runs past their term.
    pub past: i64,
    /// Documents past their term, or of a run that is.
    pub documents: i64,
    /// Of the runs past their term: those that stay for now, since they have a job or their document.
    pub held: i64,
}

/// Counts what is due in a month.
///
/// # Errors
/// The database is away.
pub async fn month_due(pool: &Pool, month: NaiveDate, cutoffs: Cutoffs) -> Result<MonthDue, StoreError> {
    let (first, after) = super::month_ids(month);
    let row = sqlx::query!(
        r#"SELECT count(*) AS "runs!", count(*) FILTER (WHERE past) AS "past!",
                  count(*) FILTER (WHERE document AND NOT owed) AS "documents!",
                  count(*) FILTER (WHERE past AND (owed OR has_document)) AS "held!"
           FROM (
               SELECT s.past, s.has_document, s.owed,
                      s.has_document AND s.status <> 'processing' AND (s.past OR s.began < $5) AS document
               FROM (
                   SELECT r.status, coalesce(r.retain_from, r.created_at) AS began,
                          (r.status = 'success' AND coalesce(r.retain_from, r.created_at) < $3)
                              OR (r.status = 'error' AND coalesce(r.retain_from, r.created_at) < $4) AS past,
                          r.document_key IS NOT NULL AS has_document,
                          EXISTS (SELECT FROM jobs j WHERE j.run_id = r.run_id) AS owed
                   FROM verification_runs r WHERE r.run_id >= $1 AND r.run_id < $2
               ) s
           ) d"#,
        first,
        after,
        cutoffs.success,
        cutoffs.error,
        cutoffs.document,
    )
    .fetch_one(pool)
    .await?;
    Ok(MonthDue { runs: row.runs, past: row.past, documents: row.documents, held: row.held })
}

/// The last of the next `count` runs of a month after this id: so far a walk goes at once.
///
/// # Errors
/// The database is away.
pub async fn window_end(pool: &Pool, month: NaiveDate, after: Uuid, count: i64) -> Result<Option<Uuid>, StoreError> {
    let (first, end) = super::month_ids(month);
    Ok(sqlx::query_scalar!(
        "SELECT run_id FROM (
             SELECT run_id FROM verification_runs WHERE run_id >= $1 AND run_id > $2 AND run_id < $3
             ORDER BY run_id LIMIT $4
         ) AS these ORDER BY run_id DESC LIMIT 1",
        first,
        after,
        end,
        count,
    )
    .fetch_optional(pool)
    .await?)
}

/// The runs after one id, up to another and with it, that are past their term and may go: nothing is owed for them,
/// and their documents have been given to be erased.
///
/// # Errors
/// The database is away.
pub async fn due_runs(pool: &Pool, after: Uuid, upto: Uuid, cutoffs: Cutoffs) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        "SELECT r.run_id FROM verification_runs r
         WHERE r.run_id > $1 AND r.run_id <= $2 AND r.document_key IS NULL
           AND ((r.status = 'success' AND coalesce(r.retain_from, r.created_at) < $3)
                OR (r.status = 'error' AND coalesce(r.retain_from, r.created_at) < $4))
           AND NOT EXISTS (SELECT FROM jobs j WHERE j.run_id = r.run_id)
         ORDER BY r.run_id",
        after,
        upto,
        cutoffs.success,
        cutoffs.error,
    )
    .fetch_all(pool)
    .await?)
}
