//! `workers`: who is alive, with how many slots. The relay's windows are made from it.

use super::{Pool, StoreError};

/// What a worker says of itself.
#[derive(Clone, Debug)]
pub struct Heartbeat<'a> {
    /// Random for each start of the process.
    pub worker_id: &'a str,
    /// Where it runs.
    pub host: &'a str,
    /// What it runs.
    pub version: &'a str,
    /// Runs that it would have in progress at once; none while a service that it needs is away.
    pub run_slots: i32,
    /// Deliveries at once.
    pub callback_slots: i32,
    /// Runs in progress.
    pub busy_runs: i32,
    /// Deliveries in progress.
    pub busy_callbacks: i32,
    /// Takes no new work.
    pub draining: bool,
}

/// Notes that a worker is alive.
///
/// # Errors
/// The database is away.
pub async fn beat(pool: &Pool, beat: &Heartbeat<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO workers (worker_id, host, version, run_slots, callback_slots, busy_runs, busy_callbacks, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (worker_id) DO UPDATE SET seen_at = now(), run_slots = excluded.run_slots, busy_runs = excluded.busy_runs,
            busy_callbacks = excluded.busy_callbacks, state = excluded.state",
        beat.worker_id,
        beat.host,
        beat.version,
        beat.run_slots,
        beat.callback_slots,
        beat.busy_runs,
        beat.busy_callbacks,
        if beat.draining { "draining" } else { "working" },
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A worker that was seen in the last 30 s.
#[derive(Clone, Debug)]
pub struct LiveWorker {
    /// Random for each start of the process.
    pub worker_id: String,
    /// Where it runs.
    pub host: String,
    /// What it runs.
    pub version: String,
    /// Runs in progress at once.
    pub run_slots: i32,
    /// Runs in progress.
    pub busy_runs: i32,
    /// It takes no new work.
    pub draining: bool,
}

/// The workers that are alive.
///
/// # Errors
/// The database is away.
pub async fn alive(pool: &Pool) -> Result<Vec<LiveWorker>, StoreError> {
    Ok(sqlx::query_as!(
        LiveWorker,
        r#"SELECT worker_id, host, version, run_slots, busy_runs, state = 'draining' AS "draining!"
           FROM workers WHERE seen_at > now() - interval '30 seconds' ORDER BY worker_id LIMIT 1000"#
    )
    .fetch_all(pool)
    .await?)
}

/// Forgets a worker that has stopped, and those that have not been seen for a day.
///
/// # Errors
/// The database is away; the row then ages.
pub async fn leave(pool: &Pool, worker_id: &str) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM workers WHERE worker_id = $1 OR seen_at < now() - interval '1 day'", worker_id)
        .execute(pool)
        .await?;
    Ok(())
}
