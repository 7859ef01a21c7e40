//! Idempotency keys (contract, section 2): reserved before the bytes arrive, kept alive while they do,
//! completed by the statement that inserts the run, freed when the submission is refused.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};

/// Seconds after which a key is free whose submission has stopped arriving.
pub const ARRIVAL_SECONDS: f64 = 60.0;

/// What a key stands for when a submission under it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It is ours: only our token may complete or free it.
    Ours {
        /// Until when it is kept.
        expires_at: DateTime<Utc>,
    },
    /// The first submission is still arriving.
    Arriving,
    /// The first submission made a run.
    Taken {
        /// Its run.
        run_id: Uuid,
        /// Hash of what was submitted.
        content_hash: Vec<u8>,
        /// Until when it is kept.
        expires_at: DateTime<Utc>,
    },
}

/// Reserves a key for the submission that holds `token`. A key past its term, or whose submission has
/// been silent for [`ARRIVAL_SECONDS`], is free.
///
/// # Errors
/// The database is unavailable.
pub async fn reserve(pool: &Pool, client_id: Uuid, key: &str, token: Uuid) -> Result<Reservation, StoreError> {
    // A second look covers a key that is freed between the two statements.
    for _ in 0..2 {
        let ours = sqlx::query_scalar!(
            r#"INSERT INTO idempotency_keys AS k (client_id, key, token, expires_at)
               VALUES ($1, $2, $3, now() + interval '48 hours')
               ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE SET
                   token = excluded.token, alive_at = now(), expires_at = excluded.expires_at,
                   run_id = NULL, content_hash = NULL
               WHERE k.expires_at <= now()
                  OR (k.run_id IS NULL AND k.alive_at <= now() - $4::float8 * interval '1 second')
               RETURNING expires_at"#,
            client_id,
            key,
            token,
            ARRIVAL_SECONDS,
        )
        .fetch_optional(pool)
        .await?;
        if let Some(expires_at) = ours {
            return Ok(Reservation::Ours { expires_at });
        }
        let other = sqlx::query!(
            "SELECT run_id, content_hash, expires_at FROM idempotency_keys WHERE client_id = $1 AND key = $2",
            client_id,
            key
        )
        .fetch_optional(pool)
        .await?;
        match other.map(|row| (row.run_id, row.content_hash, row.expires_at)) {
            Some((Some(run_id), Some(content_hash), expires_at)) => {
                return Ok(Reservation::Taken { run_id, content_hash, expires_at });
            }
            Some(_) => return Ok(Reservation::Arriving),
            None => {}
        }
    }
    Ok(Reservation::Arriving)
}

/// Says that bytes still arrive; false where the key is no longer ours.
///
/// # Errors
/// The database is unavailable.
pub async fn keep_alive(pool: &Pool, client_id: Uuid, key: &str, token: Uuid) -> Result<bool, StoreError> {
    let kept = sqlx::query!(
        "UPDATE idempotency_keys SET alive_at = now()
         WHERE client_id = $1 AND key = $2 AND token = $3 AND run_id IS NULL",
        client_id,
        key,
        token
    )
    .execute(pool)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// Frees a key whose submission was refused, if it is still ours and made no run.
///
/// # Errors
/// The database is unavailable.
pub async fn free(pool: &Pool, client_id: Uuid, key: &str, token: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "DELETE FROM idempotency_keys WHERE client_id = $1 AND key = $2 AND token = $3 AND run_id IS NULL",
        client_id,
        key,
        token
    )
    .execute(pool)
    .await?;
    Ok(())
}
