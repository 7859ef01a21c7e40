//! The monthly partitions of the large tables.

use chrono::NaiveDate;

use super::{Pool, StoreError};

/// Makes what is missing from this month to three months ahead. Answers how many partitions that were.
///
/// # Errors
/// The database is away, or the role may not make tables.
pub async fn make_ahead(pool: &Pool) -> Result<i32, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT make_month_partitions((now() AT TIME ZONE 'UTC')::date,
               (now() AT TIME ZONE 'UTC' + interval '3 months')::date) AS "made!""#
    )
    .fetch_one(pool)
    .await?)
}

/// The first day without a partition: no run can be recorded from then on.
///
/// # Errors
/// The database is away.
pub async fn horizon(pool: &Pool) -> Result<Option<NaiveDate>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT max(to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')::date AS horizon
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'verification_runs'::regclass"#
    )
    .fetch_one(pool)
    .await?)
}
