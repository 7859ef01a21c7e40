//! API keys: hashed, scoped, revocable.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::access::Scope;
use crate::settings::RateLimit;

/// Who calls: a live key and its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key.
    pub key_id: Uuid,
    /// Its client.
    pub client_id: Uuid,
    /// The client's name.
    pub client: String,
    /// What the key may do.
    pub scopes: Vec<Scope>,
    /// Whether the client may submit with priority high.
    pub allow_high: bool,
    /// The client's own rate of submissions; the setting where none.
    pub rate_limit: Option<RateLimit>,
    /// The client may spend so much on the model in a month and no more.
    pub has_budget: bool,
}

/// A key as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// Its id.
    pub key_id: Uuid,
    /// The client's name.
    pub client: String,
    /// Its first letters.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stopped being good.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The caller of a key that is live.
///
/// # Errors
/// The database is unavailable, or the row cannot be read.
pub async fn caller(pool: &Pool, key_hash: &[u8; 32]) -> Result<Option<Caller>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT k.key_id, k.client_id, k.scopes, c.name, c.allow_high, c.rate_limit_count, c.rate_limit_seconds,
                  c.budget IS NOT NULL AS "has_budget!"
         FROM api_keys k JOIN clients c USING (client_id)
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL"#,
        &key_hash[..]
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let scopes = row.scopes.iter().map(|word| word.parse()).collect::<Result<_, _>>();
        let scopes = scopes.map_err(|_| StoreError::BadRow { table: "api_keys", column: "scopes", id: row.key_id })?;
        Ok(Caller {
            key_id: row.key_id,
            client_id: row.client_id,
            client: row.name,
            scopes,
            allow_high: row.allow_high,
            rate_limit: own_rate(row.rate_limit_count, row.rate_limit_seconds),
            has_budget: row.has_budget,
        })
    })
    .transpose()
}

fn own_rate(count: Option<i32>, seconds: Option<i32>) -> Option<RateLimit> {
    let count = u32::try_from(count?).ok()?;
    Some(RateLimit { count, window: Duration::from_secs(u64::try_from(seconds?).ok()?) })
}

/// Adds a key.
///
/// # Errors
/// The database is unavailable.
pub async fn add(
    pool: &Pool,
    key_id: Uuid,
    client_id: Uuid,
    key_hash: &[u8; 32],
    prefix: &str,
    scopes: &[Scope],
) -> Result<(), StoreError> {
    let scopes: Vec<String> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "INSERT INTO api_keys (key_id, client_id, key_hash, prefix, scopes) VALUES ($1, $2, $3, $4, $5)",
        key_id,
        client_id,
        &key_hash[..],
        prefix,
        &scopes
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// All keys, of one client where a name is given, newest first.
///
/// # Errors
/// The database is unavailable.
pub async fn list(pool: &Pool, client: Option<&str>) -> Result<Vec<ListedKey>, StoreError> {
    Ok(sqlx::query_as!(
        ListedKey,
        "SELECT k.key_id, c.name AS client, k.prefix, k.scopes, k.created_at, k.revoked_at
         FROM api_keys k JOIN clients c USING (client_id)
         WHERE $1::text IS NULL OR c.name = $1 ORDER BY k.created_at DESC, k.key_id",
        client
    )
    .fetch_all(pool)
    .await?)
}

/// Revokes the keys with this id or these first letters that are live; answers them. More than one is
/// revoked only where `prefix` is theirs alike, which takes a collision of 36 random bits.
///
/// # Errors
/// The database is unavailable.
pub async fn revoke(pool: &Pool, key_id: Option<Uuid>, prefix: &str) -> Result<Vec<ListedKey>, StoreError> {
    Ok(sqlx::query_as!(
        ListedKey,
        "UPDATE api_keys k SET revoked_at = now() FROM clients c
         WHERE c.client_id = k.client_id AND k.revoked_at IS NULL AND (k.key_id = $1 OR k.prefix = $2)
         RETURNING k.key_id, c.name AS client, k.prefix, k.scopes, k.created_at, k.revoked_at",
        key_id,
        prefix
    )
    .fetch_all(pool)
    .await?)
}
