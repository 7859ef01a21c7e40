//! Adding deltas up, some at a time.

use chrono_tz::Tz;

use super::super::{Pool, StoreError};
use super::ONE_MOMENT;

/// Deltas that are added up together, about: those of the first pages of their table that hold so many.
pub const BATCH: i64 = 2000;

/// How many of the slowest runs are kept for each client and day.
const SLOWEST: i64 = super::LONGEST_LIST;

/// Adds a batch of deltas up and deletes them; how many that were. All of it is one moment: a reader sees each
/// delta either as it was or in the figures, never twice and never not.
///
/// # Errors
/// The database is away: nothing was added up.
pub async fn fold(pool: &Pool, time_zone: Tz) -> Result<u64, StoreError> {
    let mut transaction = pool.begin_with(ONE_MOMENT).await?;
    lock(&mut transaction, time_zone).await?;
    let folded = fold_in(&mut transaction).await?;
    transaction.commit().await?;
    Ok(folded)
}

/// One adds up or rebuilds at a time. LOCK takes no snapshot: what the one before did is seen.
pub(super) async fn lock(transaction: &mut sqlx::PgTransaction<'_>, time_zone: Tz) -> Result<(), StoreError> {
    sqlx::query!("LOCK TABLE stats_state IN EXCLUSIVE MODE").execute(&mut **transaction).await?;
    sqlx::query!("UPDATE stats_state SET time_zone = $1 WHERE time_zone <> $1", time_zone.name())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// The same in a transaction that holds the lock.
pub(super) async fn fold_in(transaction: &mut sqlx::PgTransaction<'_>) -> Result<u64, StoreError> {
    let upto =
        sqlx::query_scalar!("SELECT max(at)::text FROM (SELECT ctid AS at FROM stats_deltas LIMIT $1) AS batch", BATCH)
            .fetch_one(&mut **transaction)
            .await?;
    let Some(upto) = upto else { return Ok(0) };
    counts(transaction, &upto).await?;
    seconds(transaction, &upto).await?;
    calls(transaction, &upto).await?;
    slow_runs(transaction, &upto).await?;
    let done =
        sqlx::query!("DELETE FROM stats_deltas WHERE ctid <= $1::text::tid", upto).execute(&mut **transaction).await?;
    Ok(done.rows_affected())
}

async fn counts(transaction: &mut sqlx::PgTransaction<'_>, upto: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO stats_hours AS s (day, hour, client_id, ended, retries, accepted, refused, errors, duplicates, pages)
         SELECT day, hour, client_id, sum(ended), sum(retries), sum(accepted), sum(refused), sum(errors),
                sum(duplicates), sum(pages)
         FROM stats_delta_hours WHERE at <= $1::text::tid GROUP BY day, hour, client_id
         ON CONFLICT (day, hour, client_id) DO UPDATE SET
            ended = s.ended + excluded.ended, retries = s.retries + excluded.retries,
            accepted = s.accepted + excluded.accepted, refused = s.refused + excluded.refused,
            errors = s.errors + excluded.errors, duplicates = s.duplicates + excluded.duplicates,
            pages = s.pages + excluded.pages",
        upto
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO stats_codes AS s (day, client_id, code, runs, first)
         SELECT day, client_id, code, sum(runs), sum(first)
         FROM stats_delta_codes WHERE at <= $1::text::tid GROUP BY day, client_id, code
         ON CONFLICT (day, client_id, code) DO UPDATE SET
            runs = s.runs + excluded.runs, first = s.first + excluded.first",
        upto
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO stats_doc_types AS s (day, client_id, doc_type, accepted, refused, errors)
         SELECT day, client_id, doc_type, sum(accepted), sum(refused), sum(errors)
         FROM stats_delta_doc_types WHERE at <= $1::text::tid GROUP BY day, client_id, doc_type
         ON CONFLICT (day, client_id, doc_type) DO UPDATE SET
            accepted = s.accepted + excluded.accepted, refused = s.refused + excluded.refused,
            errors = s.errors + excluded.errors",
        upto
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn seconds(transaction: &mut sqlx::PgTransaction<'_>, upto: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO stats_seconds AS s (day, client_id, measure, bucket, runs, seconds)
         SELECT day, client_id, measure, bucket, sum(runs), sum(seconds)
         FROM stats_delta_seconds WHERE at <= $1::text::tid GROUP BY day, client_id, measure, bucket
         ON CONFLICT (day, client_id, measure, bucket) DO UPDATE SET
            runs = s.runs + excluded.runs, seconds = s.seconds + excluded.seconds",
        upto
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn calls(transaction: &mut sqlx::PgTransaction<'_>, upto: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO stats_calls AS s (day, client_id, model, call_type, calls, failed, prompt_tokens,
                                       completion_tokens, total_tokens, priced, cost, seconds)
         SELECT day, client_id, model, call_type, sum(calls), sum(failed), sum(prompt_tokens),
                sum(completion_tokens), sum(total_tokens), sum(priced), sum(cost), sum(seconds)
         FROM stats_delta_calls WHERE at <= $1::text::tid GROUP BY day, client_id, model, call_type
         ON CONFLICT (day, client_id, model, call_type) DO UPDATE SET
            calls = s.calls + excluded.calls, failed = s.failed + excluded.failed,
            prompt_tokens = s.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = s.completion_tokens + excluded.completion_tokens,
            total_tokens = s.total_tokens + excluded.total_tokens, priced = s.priced + excluded.priced,
            cost = s.cost + excluded.cost, seconds = s.seconds + excluded.seconds",
        upto
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Of each client and day the slowest are kept, and such only as have not been erased meanwhile.
async fn slow_runs(transaction: &mut sqlx::PgTransaction<'_>, upto: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO stats_slow_runs (day, client_id, run_id, generation, duration_seconds)
         SELECT day, client_id, run_id, generation, duration_seconds
         FROM (SELECT *, row_number() OVER (PARTITION BY day, client_id ORDER BY duration_seconds DESC) AS place
               FROM stats_delta_slow_runs WHERE at <= $1::text::tid) AS slow
         WHERE place <= $2 AND EXISTS (SELECT FROM verification_runs r WHERE r.run_id = slow.run_id)
         ON CONFLICT DO NOTHING",
        upto,
        SLOWEST
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "WITH touched AS (SELECT DISTINCT day, client_id FROM stats_delta_slow_runs WHERE at <= $1::text::tid),
        placed AS (
            SELECT day, client_id, run_id, generation,
                   row_number() OVER (PARTITION BY day, client_id ORDER BY duration_seconds DESC, run_id) AS place
            FROM stats_slow_runs JOIN touched USING (day, client_id)
        )
        DELETE FROM stats_slow_runs s USING placed p
        WHERE p.place > $2 AND s.day = p.day AND s.client_id = p.client_id AND s.run_id = p.run_id
          AND s.generation = p.generation",
        upto,
        SLOWEST
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
