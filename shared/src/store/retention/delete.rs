//! Runs that are in the archive leave the database, some at a time.

use uuid::Uuid;

use crate::domain::terms::Cutoffs;
use crate::store::{Pool, StoreError};

/// Deletes those of these runs, all of one month, that are past their term and for which nothing is owed, with
/// everything that belongs to them; what stays is whose they were. How many. Those that somebody has locked are left.
///
/// # Errors
/// The database is away.
pub async fn delete_runs(pool: &Pool, run_ids: &[Uuid], cutoffs: Cutoffs) -> Result<u64, StoreError> {
    let (Some(first), Some(last)) = (run_ids.iter().min(), run_ids.iter().max()) else { return Ok(0) };
    let mut transaction = pool.begin().await?;
    // First the rows, then a look at the jobs by a statement of its own, which sees all that was written before the
    // rows were ours: who makes a job for a run changes or locks its row.
    let locked = sqlx::query_scalar!(
        "SELECT r.run_id FROM verification_runs r
         WHERE r.run_id = ANY ($1) AND r.run_id >= $2 AND r.run_id <= $3 AND r.document_key IS NULL
           AND ((r.status = 'success' AND coalesce(r.retain_from, r.created_at) < $4)
                OR (r.status = 'error' AND coalesce(r.retain_from, r.created_at) < $5))
         ORDER BY r.run_id FOR UPDATE SKIP LOCKED",
        run_ids,
        first,
        last,
        cutoffs.success,
        cutoffs.error,
    )
    .fetch_all(&mut *transaction)
    .await?;
    let done = sqlx::query!(
        "WITH gone AS (
            DELETE FROM verification_runs r WHERE r.run_id = ANY ($1) AND r.run_id >= $2 AND r.run_id <= $3
              AND NOT EXISTS (SELECT FROM jobs j WHERE j.run_id = r.run_id)
            RETURNING r.run_id, r.client_id
        ), errors AS (
            DELETE FROM verification_errors t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), pages AS (
            DELETE FROM ocr_pages t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), calls AS (
            DELETE FROM llm_calls t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), decisions AS (
            DELETE FROM reviews t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), events AS (
            DELETE FROM callbacks t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), attempts AS (
            DELETE FROM callback_attempts t USING gone WHERE t.run_id = gone.run_id AND t.run_id >= $2 AND t.run_id <= $3
        ), dead AS (
            DELETE FROM dead_jobs t USING gone WHERE t.run_id = gone.run_id
        )
        INSERT INTO archived_runs (run_id, client_id) SELECT run_id, client_id FROM gone
        ON CONFLICT (run_id) DO UPDATE SET client_id = excluded.client_id",
        &locked,
        first,
        last,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(done.rows_affected())
}
