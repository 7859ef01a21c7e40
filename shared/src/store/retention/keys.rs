//! Small things that are past their time: idempotency keys, and what was kept of runs in the archive.

use chrono::{DateTime, Utc};

use crate::store::{Pool, StoreError};

/// Idempotency keys whose 48 hours are over.
///
/// # Errors
/// The database is away.
pub async fn spent_keys(pool: &Pool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM idempotency_keys WHERE expires_at <= now()"#)
        .fetch_one(pool)
        .await?)
}

/// Removes at most `count` of them; how many.
///
/// # Errors
/// The database is away.
pub async fn remove_idempotency_keys(pool: &Pool, count: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "WITH spent AS (
            SELECT client_id, key FROM idempotency_keys WHERE expires_at <= now()
            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM idempotency_keys k USING spent WHERE k.client_id = spent.client_id AND k.key = spent.key",
        count
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Forgets whose at most `count` runs of before this moment were; how many.
///
/// # Errors
/// The database is away.
pub async fn remove_archived_runs(pool: &Pool, before: DateTime<Utc>, count: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "DELETE FROM archived_runs WHERE run_id IN (
            SELECT run_id FROM archived_runs WHERE run_id < uuid7_floor($1) ORDER BY run_id LIMIT $2)",
        before,
        count
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
