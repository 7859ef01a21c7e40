//! `callback_attempts`: what each try of a delivery came to. Every function is guarded by the lease of the
//! delivery's job, so that a sender that stalled past its lease changes nothing.

use std::time::Duration;

use uuid::Uuid;

use super::jobs::Lease;
use super::{Pool, StoreError};

/// One try, as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct NewAttempt {
    /// Which run the event is of.
    pub run_id: Uuid,
    /// Which event of the run.
    pub sequence: i32,
    /// How long it took.
    pub duration: Duration,
    /// What was answered.
    pub status_code: Option<i32>,
    /// `delivered`, or why not.
    pub outcome: &'static str,
}

/// What becomes of the delivery after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It was delivered.
    Delivered,
    /// It is given up, and kept for `redeliver`.
    Failed,
    /// It is tried again after this pause.
    Again(Duration),
}

/// Gives a delivery up without another try: it has waited too long. False: the lease was lost.
///
/// # Errors
/// The database is away.
pub async fn give_up(pool: &Pool, lease: Lease, run_id: Uuid, sequence: i32) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH ended AS (DELETE FROM jobs WHERE job_id = $1 AND lease_token = $2 RETURNING job_id)
         UPDATE callbacks SET state = 'failed', ended_at = now()
         FROM ended WHERE run_id = $3 AND sequence = $4 AND state = 'pending'",
        lease.job_id,
        lease.token,
        run_id,
        sequence,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records a try and what becomes of the delivery, in one statement. False: the lease was lost.
///
/// # Errors
/// The database is away.
pub async fn record(pool: &Pool, lease: Lease, attempt: &NewAttempt, then: Then) -> Result<bool, StoreError> {
    let ended = match then {
        Then::Delivered => Some("delivered"),
        Then::Failed => Some("failed"),
        Then::Again(_) => None,
    };
    let pause = match then {
        Then::Again(pause) => super::jobs::milliseconds(pause),
        _ => 0,
    };
    let recorded = sqlx::query_scalar!(
        r#"WITH ended AS (
            DELETE FROM jobs WHERE job_id = $1 AND lease_token = $2 AND $8::text IS NOT NULL RETURNING job_id
        ),
        again AS (
            UPDATE jobs SET
                work_ms = work_ms + (extract(epoch FROM now() - leased_at) * 1000)::bigint,
                available_at = now() + $9::bigint * interval '1 millisecond', published_at = NULL, republished = 0,
                last_error = $7, lease_token = NULL, lease_owner = NULL, leased_at = NULL, lease_until = NULL
            WHERE job_id = $1 AND lease_token = $2 AND $8::text IS NULL RETURNING job_id
        ),
        held AS (SELECT job_id FROM ended UNION ALL SELECT job_id FROM again),
        state AS (
            UPDATE callbacks SET state = $8, ended_at = now()
            FROM held WHERE run_id = $3 AND sequence = $4 AND $8::text IS NOT NULL
        )
        INSERT INTO callback_attempts (run_id, sequence, attempt, duration_seconds, status_code, outcome)
        SELECT $3, $4, 1 + coalesce((SELECT max(attempt) FROM callback_attempts WHERE run_id = $3 AND sequence = $4), 0),
               $5, $6, $7
        FROM held
        RETURNING attempt"#,
        lease.job_id,
        lease.token,
        attempt.run_id,
        attempt.sequence,
        attempt.duration.as_secs_f64(),
        attempt.status_code,
        attempt.outcome,
        ended,
        pause,
    )
    .fetch_optional(pool)
    .await?;
    Ok(recorded.is_some())
}
