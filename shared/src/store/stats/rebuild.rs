//! The figures of a day made anew from the rows that are there.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::super::{Pool, StoreError};
use super::ONE_MOMENT;
use super::fold::{fold_in, lock};

/// From which day to which there are runs or figures; none where there are neither.
///
/// # Errors
/// The database is away.
pub async fn days_to_rebuild(pool: &Pool, time_zone: Tz) -> Result<Option<(NaiveDate, NaiveDate)>, StoreError> {
    let row = sqlx::query!(
        "SELECT min(day) AS first, max(day) AS last FROM (
            SELECT (uuid7_time(run_id) AT TIME ZONE $1)::date AS day
            FROM ((SELECT run_id FROM verification_runs ORDER BY run_id LIMIT 1)
                  UNION ALL (SELECT run_id FROM verification_runs ORDER BY run_id DESC LIMIT 1)) AS ends
            UNION ALL SELECT min(day) FROM stats_hours UNION ALL SELECT max(day) FROM stats_hours) AS days",
        time_zone.name()
    )
    .fetch_one(pool)
    .await?;
    Ok(row.first.zip(row.last))
}

/// Makes a day's figures anew; how many ends were counted. Runs may end meanwhile: each is counted once, by this or
/// by its own delta. Not in the rows any more, and lost to the figures, are: runs that were erased or whose term is
/// over, and the seconds of generations before a run's newest.
///
/// # Errors
/// The database is away: the day is as it was.
pub async fn rebuild_day(pool: &Pool, day: NaiveDate, time_zone: Tz) -> Result<u64, StoreError> {
    let mut transaction = pool.begin_with(ONE_MOMENT).await?;
    lock(&mut transaction, time_zone).await?;
    forget(&mut transaction, day, time_zone).await?;
    let counted = sqlx::query_file!("src/store/stats/rebuild.sql", day, time_zone.name())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    while fold_in(&mut transaction).await? > 0 {}
    transaction.commit().await?;
    Ok(counted)
}

async fn forget(transaction: &mut sqlx::PgTransaction<'_>, day: NaiveDate, time_zone: Tz) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH hours AS (DELETE FROM stats_hours WHERE day = $1),
        codes AS (DELETE FROM stats_codes WHERE day = $1),
        doc_types AS (DELETE FROM stats_doc_types WHERE day = $1),
        seconds AS (DELETE FROM stats_seconds WHERE day = $1),
        calls AS (DELETE FROM stats_calls WHERE day = $1),
        slow_runs AS (DELETE FROM stats_slow_runs WHERE day = $1)
        DELETE FROM stats_deltas WHERE (created_at AT TIME ZONE $2)::date = $1",
        day,
        time_zone.name()
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
