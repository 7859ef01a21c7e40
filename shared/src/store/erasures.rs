//! Erasing a run, and remembering that it was done.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Pool, StoreError};

/// Who erases.
#[derive(Clone, Debug)]
pub struct Eraser<'a> {
    /// The api key or the operator's account.
    pub actor: &'a str,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// W3C traceparent of the request.
    pub trace_context: &'a str,
}

/// Whose the erased run of this id was; none where none was erased.
///
/// # Errors
/// The database is unavailable.
pub async fn client_of(pool: &Pool, run_id: Uuid) -> Result<Option<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT client_id FROM erasures WHERE run_id = $1", run_id).fetch_optional(pool).await?)
}

/// Erases a run of this client with everything that belongs to it, also one that is being worked on: its job
/// goes too, so that no lease can write any more. The document and the pictures are owed to the job of kind
/// `erase` that is left behind. False where there is no such run.
///
/// # Errors
/// The database is unavailable.
pub async fn erase(pool: &Pool, run_id: Uuid, client_id: Uuid, eraser: &Eraser<'_>) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await?;
    // First wait for whoever writes now (job before run, as the statement that ends a run has it), so that the
    // statement below sees all of what was written.
    super::jobs::lock_all_of(&mut transaction, run_id).await?;
    let there = sqlx::query_scalar!(
        "SELECT run_id FROM verification_runs WHERE run_id = $1 AND client_id = $2 FOR UPDATE",
        run_id,
        client_id
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if there.is_none() {
        // Dropped, it would end some time after the answer, and a relay would pass over what it still holds.
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query!(
        r#"WITH run AS (DELETE FROM verification_runs WHERE run_id = $1 RETURNING document_key),
        errors AS (DELETE FROM verification_errors WHERE run_id = $1),
        pages AS (DELETE FROM ocr_pages WHERE run_id = $1 RETURNING image_key),
        calls AS (DELETE FROM llm_calls WHERE run_id = $1),
        hashes AS (DELETE FROM page_hashes WHERE run_id = $1),
        decisions AS (DELETE FROM reviews WHERE run_id = $1),
        events AS (DELETE FROM callbacks WHERE run_id = $1),
        attempts AS (DELETE FROM callback_attempts WHERE run_id = $1),
        owed AS (DELETE FROM jobs WHERE run_id = $1 AND kind IN ('run', 'callback')),
        dead AS (DELETE FROM dead_jobs WHERE run_id = $1),
        erasure AS (INSERT INTO erasures (run_id, client_id, erased_by) VALUES ($1, $2, $3)),
        slow AS (DELETE FROM stats_slow_runs WHERE run_id = $1),
        keys AS (
            SELECT jsonb_agg(key) AS keys
            FROM (SELECT document_key FROM run UNION ALL SELECT image_key FROM pages) AS all_keys (key)
            WHERE key IS NOT NULL
        ), job AS (
            INSERT INTO jobs (job_id, kind, run_id, client_id, payload, trace_context)
            SELECT $4, 'erase', $1, $2, jsonb_build_object('keys', keys), $5 FROM keys WHERE keys IS NOT NULL
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome)
        VALUES ($2, $3, 'run.erased', $1, $6, 'done')"#,
        run_id,
        client_id,
        eraser.actor,
        super::jobs::new_job_id(),
        eraser.trace_context,
        eraser.ip_address.map(ipnetwork::IpNetwork::from),
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}
