//! `audit_heads`: where the chain ended with each day (UTC).

use super::chain::hash;
use crate::audit_head::DayHead;
use crate::store::{Pool, StoreError};

/// Yesterday's head if it is not kept yet and the chain goes back so far: where it ends now, when the day has just ended.
///
/// # Errors
/// The database is away.
pub async fn owed(pool: &Pool) -> Result<Option<DayHead>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT (now() AT TIME ZONE 'UTC')::date - 1 AS "day!", number, hash FROM audit_chain_head
           WHERE EXISTS (
               SELECT FROM audit_chain
               WHERE event_id < uuid7_floor((now() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC'))
             AND NOT EXISTS (SELECT FROM audit_heads WHERE day >= (now() AT TIME ZONE 'UTC')::date - 1)"#
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| DayHead { day: row.day, number: row.number, hash: hash(&row.hash) }))
}

/// Keeps a day's head; one that is there stays.
///
/// # Errors
/// The database is away.
pub async fn keep(pool: &Pool, head: &DayHead) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_heads (day, number, hash) VALUES ($1, $2, $3) ON CONFLICT (day) DO NOTHING",
        head.day,
        head.number,
        &head.hash[..]
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// All of them, oldest first: one a day.
///
/// # Errors
/// The database is away.
pub async fn all(pool: &Pool) -> Result<Vec<DayHead>, StoreError> {
    let rows = sqlx::query!("SELECT day, number, hash FROM audit_heads ORDER BY day").fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| DayHead { day: row.day, number: row.number, hash: hash(&row.hash) }).collect())
}
