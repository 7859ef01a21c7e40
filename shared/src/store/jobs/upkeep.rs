//! What picks up the pieces: leases that ran out, runs out of time, messages that are missing.

use std::time::Duration;

use uuid::Uuid;

use super::lease::Lease;
use super::publish::PublishedJob;
use super::{Lane, milliseconds};
use crate::store::{Pool, StoreError};

/// Why upkeep ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its lease ran out on its last attempt: it crashed or hung its worker every time.
    Crashed,
    /// Its work budget or its age is used up.
    TimedOut,
}

/// A run that upkeep has leased in order to end it.
#[derive(Clone, Debug)]
pub struct EndedJob {
    /// What lets us write.
    pub lease: Lease,
    /// Which run.
    pub run_id: Uuid,
    /// Which generation.
    pub generation: i32,
    /// Claims so far.
    pub attempts: i32,
    /// Why.
    pub ending: Ending,
    /// Who held it last.
    pub last_owner: Option<String>,
    /// `traceparent` of the request.
    pub trace_context: Option<String>,
}

/// leased → waiting where a lease ran out and there are attempts left. Answers how many.
///
/// # Errors
/// The database is away.
pub async fn expire_leases(pool: &Pool, max_attempts: u32) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "UPDATE jobs SET
            work_ms = work_ms + (extract(epoch FROM lease_until - leased_at) * 1000)::bigint,
            available_at = now(), published_at = NULL, republished = 0, stage = 'queued',
            last_error = 'the lease of ' || lease_owner || ' ran out',
            lease_token = NULL, lease_owner = NULL, leased_at = NULL, lease_until = NULL
         WHERE lease_token IS NOT NULL AND lease_until < now() AND (kind <> 'run' OR attempts < $1)",
        i32::try_from(max_attempts).unwrap_or(i32::MAX),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Leases the runs that must end although no worker holds them: out of attempts, of work or of age.
///
/// # Errors
/// The database is away.
pub async fn take_timed_out(
    pool: &Pool,
    owner: &str,
    lease_time: Duration,
    max_attempts: u32,
    work_budget: Duration,
) -> Result<Vec<EndedJob>, StoreError> {
    let rows = sqlx::query!(
        r#"WITH due AS (
            SELECT job_id, lease_owner, (lease_token IS NOT NULL AND attempts >= $1) AS crashed
            FROM jobs
            WHERE kind = 'run'
              AND ((lease_token IS NOT NULL AND lease_until < now() AND attempts >= $1)
                   OR (lease_token IS NULL AND (expires_at < now() OR work_ms >= $2 OR attempts >= $1)))
            LIMIT 100
            FOR UPDATE SKIP LOCKED
        )
        UPDATE jobs SET
            lease_token = gen_random_uuid(), lease_owner = $3, leased_at = now(),
            lease_until = now() + $4::bigint * interval '1 millisecond'
        FROM due WHERE jobs.job_id = due.job_id
        RETURNING jobs.job_id, jobs.lease_token AS "token!", jobs.run_id, jobs.generation, jobs.attempts,
                  jobs.last_error, jobs.trace_context, due.lease_owner AS last_owner, due.crashed AS "crashed!""#,
        i32::try_from(max_attempts).unwrap_or(i32::MAX),
        milliseconds(work_budget),
        owner,
        milliseconds(lease_time),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| EndedJob {
            lease: Lease { job_id: row.job_id, token: row.token },
            run_id: row.run_id,
            generation: row.generation,
            attempts: row.attempts,
            ending: if row.crashed { Ending::Crashed } else { Ending::TimedOut },
            last_owner: row.last_owner,
            trace_context: row.trace_context,
        })
        .collect())
}

/// How long a published job may be unclaimed before its message is looked for.
const UNCLAIMED: &str = "10 seconds";

/// How many jobs of a lane have been published and unclaimed for 10 s: as many messages must be ready. None
/// while the lane is paused: what was delivered meanwhile was refused, and is published again afterwards.
///
/// # Errors
/// The database is away.
pub async fn missing_jobs(pool: &Pool, lane: Lane) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM jobs
         WHERE kind = $1 AND priority = $2 AND published_at IS NOT NULL AND lease_token IS NULL
           AND published_at < now() - $3::text::interval
           AND NOT EXISTS (SELECT FROM switches WHERE name = $4 AND paused_at IS NOT NULL)"#,
        lane.kind().as_str(),
        lane.priority(),
        UNCLAIMED,
        lane.switch(),
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// published → published again, the oldest first: for messages that are missing. A job's pause doubles each
/// time, so that a mistaken look costs little.
///
/// # Errors
/// The database is away.
pub async fn republish(pool: &Pool, lane: Lane, at_most: u64) -> Result<Vec<PublishedJob>, StoreError> {
    let rows = sqlx::query!(
        "WITH oldest AS (
            SELECT job_id FROM jobs
            WHERE kind = $1 AND priority = $2 AND published_at IS NOT NULL AND lease_token IS NULL
              AND published_at < now() - $3::text::interval * (2 ^ least(republished, 10))
            ORDER BY published_at LIMIT $4
            FOR UPDATE SKIP LOCKED
        )
        UPDATE jobs SET published_at = now(), publish_no = publish_no + 1, republished = republished + 1
        FROM oldest WHERE jobs.job_id = oldest.job_id
        RETURNING jobs.job_id, jobs.run_id, jobs.publish_no, jobs.trace_context",
        lane.kind().as_str(),
        lane.priority(),
        UNCLAIMED,
        i64::try_from(at_most).unwrap_or(i64::MAX),
    )
    .fetch_all(pool)
    .await?;
    let job = |row: (Uuid, Uuid, i32, Option<String>)| PublishedJob {
        job_id: row.0,
        run_id: row.1,
        lane,
        publish_no: row.2,
        trace_context: row.3,
    };
    Ok(rows.into_iter().map(|r| job((r.job_id, r.run_id, r.publish_no, r.trace_context))).collect())
}
