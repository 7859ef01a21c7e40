//! `duties`: what one process of the fleet does for all, taken by compare-and-set and never by an advisory
//! lock, so that a pooler in transaction mode does no harm.

use std::time::Duration;

use super::jobs::milliseconds;
use super::{Pool, StoreError};

/// Takes a duty for `term`, or keeps it. True: it is ours until then.
///
/// # Errors
/// The database is away.
pub async fn take(pool: &Pool, name: &str, holder: &str, term: Duration) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO duties AS d (name, holder, until) VALUES ($1, $2, now() + $3::bigint * interval '1 millisecond')
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
         WHERE d.until < now() OR d.holder = excluded.holder",
        name,
        holder,
        milliseconds(term),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a duty that is done once in `every`: true if it is due and now ours for `term`.
///
/// # Errors
/// The database is away.
pub async fn take_due(
    pool: &Pool,
    name: &str,
    holder: &str,
    term: Duration,
    every: Duration,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO duties AS d (name, holder, until) VALUES ($1, $2, now() + $3::bigint * interval '1 millisecond')
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
         WHERE d.until < now()
           AND (d.last_done IS NULL OR d.last_done < now() - $4::bigint * interval '1 millisecond')",
        name,
        holder,
        milliseconds(term),
        milliseconds(every),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Holds a duty for `term` from now on, if it has been ours without a gap: false where it was not, whoever has it now.
///
/// # Errors
/// The database is away.
pub async fn extend(pool: &Pool, name: &str, holder: &str, term: Duration) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE duties SET until = now() + $3::bigint * interval '1 millisecond'
         WHERE name = $1 AND holder = $2 AND until > now()",
        name,
        holder,
        milliseconds(term),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets go of a duty that was not done, so that others need not wait for the end of its term.
///
/// # Errors
/// The database is away; the duty then ends with its term.
pub async fn release(pool: &Pool, name: &str, holder: &str) -> Result<(), StoreError> {
    sqlx::query!("UPDATE duties SET until = now() WHERE name = $1 AND holder = $2", name, holder).execute(pool).await?;
    Ok(())
}

/// Who holds a duty now.
///
/// # Errors
/// The database is away.
pub async fn holder(pool: &Pool, name: &str) -> Result<Option<String>, StoreError> {
    let holder = sqlx::query_scalar!("SELECT holder FROM duties WHERE name = $1 AND until > now()", name);
    Ok(holder.fetch_optional(pool).await?.flatten())
}

/// Notes that a duty was done and lets go of it.
///
/// # Errors
/// The database is away; the duty then ends with its term.
pub async fn done(pool: &Pool, name: &str, holder: &str) -> Result<(), StoreError> {
    sqlx::query!("UPDATE duties SET last_done = now(), until = now() WHERE name = $1 AND holder = $2", name, holder)
        .execute(pool)
        .await?;
    Ok(())
}
