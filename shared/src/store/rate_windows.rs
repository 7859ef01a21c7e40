//! `rate_windows`: permits to submit, which api processes take in chunks. A window begins and ends by the database's
//! clock, the same for every process.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::settings::RateLimit;

/// Of what a window has left, a process takes this part at most, so that the permits that lie idle in one process
/// become fewer as the window empties, down to one at a time.
const PART: i32 = 8;

/// What came of asking for permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Permits that are ours until the window ends; none: the window has no more.
    pub permits: u32,
    /// What the window has left for whoever asks next.
    pub left: u32,
    /// When the window began: its name.
    pub window_start: DateTime<Utc>,
    /// Until it ends, at the moment of asking.
    pub ends_in: Duration,
}

/// Permits that were not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Whose.
    pub client_id: Uuid,
    /// The length of the window.
    pub window: Duration,
    /// When it began.
    pub window_start: DateTime<Utc>,
    /// How many.
    pub permits: u32,
}

/// Takes permits from a client's present window: `ask` at most, fewer where little is left.
///
/// # Errors
/// The database is away.
pub async fn take(pool: &Pool, client_id: Uuid, limit: RateLimit, ask: u32) -> Result<Taken, StoreError> {
    let count = integer(limit.count);
    let row = sqlx::query!(
        r#"WITH present AS (
            SELECT date_bin($2::int * interval '1 second', now(), 'epoch'::timestamptz) AS start
        ), taken AS (
            INSERT INTO rate_windows AS w (client_id, window_seconds, window_start, taken, last_chunk)
            SELECT $1, $2::int, start, greatest(1, least($4::int, $3::int / $5::int)), greatest(1, least($4::int, $3::int / $5::int)) FROM present
            ON CONFLICT (client_id, window_seconds, window_start) DO UPDATE SET
                taken = w.taken + greatest(1, least($4::int, ($3::int - w.taken) / $5::int)),
                last_chunk = greatest(1, least($4::int, ($3::int - w.taken) / $5::int))
            WHERE w.taken < $3::int
            RETURNING taken, last_chunk
        )
        SELECT start AS "window_start!", last_chunk AS "permits?", taken AS "taken?",
               extract(epoch FROM start + $2::int * interval '1 second' - now())::float8 AS "ends_in!"
        FROM present LEFT JOIN taken ON true"#,
        client_id,
        seconds(limit.window),
        count,
        integer(ask),
        PART,
    )
    .fetch_one(pool)
    .await?;
    let natural = |number: i32| u32::try_from(number).unwrap_or(0);
    Ok(Taken {
        permits: row.permits.map_or(0, natural),
        left: natural(count - row.taken.unwrap_or(count)),
        window_start: row.window_start,
        ends_in: Duration::try_from_secs_f64(row.ends_in).unwrap_or_default(),
    })
}

/// Gives permits back, in one statement for all clients. Those of a window that is over are worth nothing.
///
/// # Errors
/// The database is away. The permits are not to be given back again: they may have been.
pub async fn give_back(pool: &Pool, unused: &[Unused]) -> Result<(), StoreError> {
    let clients: Vec<Uuid> = unused.iter().map(|unused| unused.client_id).collect();
    let windows: Vec<i32> = unused.iter().map(|unused| seconds(unused.window)).collect();
    let starts: Vec<DateTime<Utc>> = unused.iter().map(|unused| unused.window_start).collect();
    let permits: Vec<i32> = unused.iter().map(|unused| integer(unused.permits)).collect();
    sqlx::query!(
        "WITH back AS (
            SELECT w.client_id, w.window_seconds, w.window_start, b.permits
            FROM rate_windows w
            JOIN unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::int[])
                AS b (client_id, window_seconds, window_start, permits)
                USING (client_id, window_seconds, window_start)
            -- in one order, so that two processes that give back do not wait for each other
            ORDER BY w.client_id, w.window_seconds, w.window_start
            FOR UPDATE OF w
        )
        UPDATE rate_windows w SET taken = greatest(0, w.taken - back.permits)
        FROM back
        WHERE w.client_id = back.client_id AND w.window_seconds = back.window_seconds
          AND w.window_start = back.window_start",
        &clients,
        &windows,
        &starts,
        &permits,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Removes windows that are over, with a margin for a clock that is set back.
///
/// # Errors
/// The database is away.
pub async fn remove_old(pool: &Pool) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "DELETE FROM rate_windows
         WHERE window_start + window_seconds * interval '1 second' < now() - interval '10 minutes'"
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

fn integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn seconds(window: Duration) -> i32 {
    i32::try_from(window.as_secs()).unwrap_or(i32::MAX)
}
