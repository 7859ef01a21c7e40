//! Whole months: taken out of the record as tables of their own, held against the archive, and dropped.

use chrono::NaiveDate;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::partition;
use crate::store::{Pool, StoreError};

/// The months of a table, oldest first.
///
/// # Errors
/// The database is away.
pub async fn attached(pool: &Pool, table: &str) -> Result<Vec<NaiveDate>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS "month!"
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = to_regclass($1) ORDER BY 1"#,
        table
    )
    .fetch_all(pool)
    .await?)
}

/// The tables whose months are those of an audit event's id.
///
/// # Errors
/// The database is away.
pub async fn audit_tables(pool: &Pool) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT table_name FROM monthly_tables WHERE id_column = 'event_id' ORDER BY table_name")
        .fetch_all(pool)
        .await?)
}

/// Months of tables that were taken out and not yet dropped: somebody died in between.
///
/// # Errors
/// The database is away.
pub async fn detached(pool: &Pool) -> Result<Vec<(String, NaiveDate)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT m.table_name, to_date(right(c.relname, 7), 'YYYY_MM') AS "month!"
           FROM monthly_tables m
           JOIN pg_class parent ON parent.oid = to_regclass(m.table_name)
           JOIN pg_class c ON c.relnamespace = parent.relnamespace AND c.relkind = 'r' AND NOT c.relispartition
                          AND c.relname ~ ('^' || m.table_name || '_[0-9]{4}_[0-9]{2}$')
           ORDER BY 2, 1"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.table_name, row.month)).collect())
}

/// Takes a month of a table out of the record. False: it was out already. It takes a lock that stops everybody for a
/// moment and does not wait long for it: [`StoreError::retryable`] says whether somebody was in the way.
///
/// # Errors
/// The database is away, or the table is in use.
pub async fn detach(pool: &Pool, table: &str, month: NaiveDate) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT detach_month_partition($1, $2) AS "done!""#, table, month).fetch_one(pool).await?)
}

/// The way back.
///
/// # Errors
/// The database is away.
pub async fn attach(pool: &Pool, table: &str, month: NaiveDate) -> Result<(), StoreError> {
    sqlx::query!(r#"SELECT attach_month_partition($1, $2) AS "done""#, table, month).fetch_one(pool).await?;
    Ok(())
}

/// Drops a month of a table that was taken out.
///
/// # Errors
/// The database is away.
pub async fn drop_detached(pool: &Pool, table: &str, month: NaiveDate) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT drop_detached_month($1, $2) AS "done!""#, table, month).fetch_one(pool).await?)
}

/// Notes whose these runs of a month were, before the month goes.
///
/// # Errors
/// The database is away.
pub async fn bury(pool: &Pool, run_ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO archived_runs (run_id, client_id)
         SELECT r.run_id, r.client_id FROM unnest((SELECT $1::uuid[])) AS these (run_id)
         JOIN verification_runs r ON r.run_id = these.run_id
         ON CONFLICT (run_id) DO UPDATE SET client_id = excluded.client_id",
        run_ids
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Rows of a month's table whose run is not known to be in the archive.
///
/// # Errors
/// The database is away.
pub async fn not_archived(pool: &Pool, table: &str, month: NaiveDate) -> Result<i64, StoreError> {
    let statement = format!(
        "SELECT count(*) FROM {} t WHERE NOT EXISTS (SELECT FROM archived_runs a WHERE a.run_id = t.run_id)",
        partition(table, month)
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await?)
}

/// Runs of a month's table for which something is owed.
///
/// # Errors
/// The database is away.
pub async fn unfinished_jobs(pool: &Pool, month: NaiveDate) -> Result<i64, StoreError> {
    let (first, after) = super::month_ids(month);
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM jobs WHERE run_id >= $1 AND run_id < $2"#, first, after)
        .fetch_one(pool)
        .await?)
}

/// Rows of a month's table.
///
/// # Errors
/// The database is away.
pub async fn rows_in(pool: &Pool, table: &str, month: NaiveDate) -> Result<i64, StoreError> {
    let statement = format!("SELECT count(*) FROM {}", partition(table, month));
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await?)
}
