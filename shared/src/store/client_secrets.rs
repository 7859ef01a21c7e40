//! What a client's callbacks are signed with, sealed with `SECRETS_KEY`. Several may be live at once,
//! so that secrets rotate without a gap.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};

/// What binds a sealed secret to its client: one of another cannot be put in its place.
#[must_use]
pub fn secret_context(client_id: Uuid) -> Vec<u8> {
    [b"client_secrets.secret:", &client_id.as_bytes()[..]].concat()
}

/// Adds a secret; those before it sign on for `retire_after` and then no more. Answers when the older
/// ones retire, the latest of them; none where there were none.
///
/// # Errors
/// The database is unavailable.
pub async fn rotate(
    pool: &Pool,
    client_id: Uuid,
    sealed: &[u8],
    retire_after: Duration,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"WITH retired AS (
            UPDATE client_secrets SET retire_at = least(retire_at, now() + $4::float8 * interval '1 second')
            WHERE client_id = $2 AND (retire_at IS NULL OR retire_at > now())
            RETURNING retire_at
        ), added AS (
            INSERT INTO client_secrets (secret_id, client_id, secret) VALUES ($1, $2, $3)
        )
        SELECT max(retire_at) FROM retired"#,
        Uuid::new_v4(),
        client_id,
        sealed,
        retire_after.as_secs_f64(),
    )
    .fetch_one(pool)
    .await?)
}

/// A secret of some client, sealed.
#[derive(Clone, Debug)]
pub struct SealedSecret {
    /// The client's name.
    pub client: String,
    /// The client.
    pub client_id: Uuid,
    /// What must open with `SECRETS_KEY`.
    pub sealed: Vec<u8>,
    /// Credentials of the plain form, and no signing secret.
    pub credentials: bool,
}

/// Everything that is kept sealed and in use, of all clients, `limit` at most.
///
/// # Errors
/// The database is unavailable.
pub async fn all_sealed(pool: &Pool, limit: u16) -> Result<Vec<SealedSecret>, StoreError> {
    Ok(sqlx::query_as!(
        SealedSecret,
        r#"SELECT c.name AS "client!", c.client_id AS "client_id!", x.sealed AS "sealed!", x.credentials AS "credentials!"
           FROM (SELECT client_id, secret AS sealed, false AS credentials FROM client_secrets
                 WHERE retire_at IS NULL OR retire_at > now()
                 UNION ALL
                 SELECT client_id, callback_basic, true FROM clients WHERE callback_basic IS NOT NULL) x
           JOIN clients c ON c.client_id = x.client_id
           ORDER BY c.name LIMIT $1"#,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await?)
}

/// The secrets that sign now, sealed, newest first.
///
/// # Errors
/// The database is unavailable.
pub async fn live(pool: &Pool, client_id: Uuid) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(sqlx::query_scalar!(
        "SELECT secret FROM client_secrets
         WHERE client_id = $1 AND (retire_at IS NULL OR retire_at > now()) ORDER BY created_at DESC, secret_id",
        client_id
    )
    .fetch_all(pool)
    .await?)
}
