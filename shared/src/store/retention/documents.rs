//! Documents past their term: the row lets go of them, and a job of kind `erase` owes their end to the store.

use uuid::Uuid;

use crate::domain::terms::Cutoffs;
use crate::store::{Pool, StoreError};

/// Gives documents and pictures of at most `count` runs, after one id and up to another with it, to be erased: those
/// past their term, and those of runs that are. How many runs those were. One for which anything is owed is left for
/// another time; so is one that somebody has locked.
///
/// # Errors
/// The database is away.
pub async fn take_documents(
    pool: &Pool,
    (after, upto): (Uuid, Uuid),
    cutoffs: Cutoffs,
    count: i64,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
            SELECT r.run_id, r.client_id, r.document_key FROM verification_runs r
            WHERE r.run_id > $1 AND r.run_id <= $2 AND r.document_key IS NOT NULL AND r.status <> 'processing'
              AND (coalesce(r.retain_from, r.created_at) < $3
                   OR (r.status = 'success' AND coalesce(r.retain_from, r.created_at) < $4)
                   OR (r.status = 'error' AND coalesce(r.retain_from, r.created_at) < $5))
              AND NOT EXISTS (SELECT FROM jobs j WHERE j.run_id = r.run_id)
            ORDER BY r.run_id LIMIT $6
            FOR UPDATE OF r SKIP LOCKED
        ), pictures AS (
            SELECT p.run_id, jsonb_agg(p.image_key) AS keys FROM ocr_pages p JOIN due ON due.run_id = p.run_id
            WHERE p.image_key IS NOT NULL AND p.run_id > $1 AND p.run_id <= $2 GROUP BY p.run_id
        ), gone AS (
            UPDATE verification_runs r SET document_key = NULL, document_deleted_at = now()
            FROM due WHERE r.run_id = due.run_id AND r.run_id > $1 AND r.run_id <= $2
        ), blank AS (
            UPDATE ocr_pages p SET image_key = NULL
            FROM due WHERE p.run_id = due.run_id AND p.image_key IS NOT NULL AND p.run_id > $1 AND p.run_id <= $2
        )
        INSERT INTO jobs (job_id, kind, run_id, client_id, payload)
        SELECT gen_random_uuid(), 'erase', due.run_id, due.client_id,
               jsonb_build_object('keys', jsonb_build_array(due.document_key) || coalesce(pictures.keys, '[]'))
        FROM due LEFT JOIN pictures ON pictures.run_id = due.run_id"#,
        after,
        upto,
        cutoffs.document,
        cutoffs.success,
        cutoffs.error,
        count,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
