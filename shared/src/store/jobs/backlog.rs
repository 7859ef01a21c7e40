//! How much waits.

use crate::store::{Pool, StoreError};

/// How many runs wait for a worker, waiting for their time included; counts no further than `most`.
///
/// Each half stops at the bound, so that it costs no more where the backlog has grown far beyond it.
///
/// # Errors
/// The database is away.
pub async fn waiting_runs(pool: &Pool, most: u64) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT least($1, (SELECT count(*) FROM (
                SELECT FROM jobs WHERE kind = 'run' AND published_at IS NULL AND lease_token IS NULL LIMIT $1) waiting)
            + (SELECT count(*) FROM (
                SELECT FROM jobs WHERE kind = 'run' AND published_at IS NOT NULL AND lease_token IS NULL LIMIT $1)
                published)) AS "count!""#,
        i64::try_from(most).unwrap_or(i64::MAX),
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
