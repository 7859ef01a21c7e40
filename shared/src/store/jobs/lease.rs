//! What the holder of a lease may do. Only the token lets anybody write.

use std::time::Duration;

use uuid::Uuid;

use super::milliseconds;
use crate::domain::Stage;
use crate::store::{Pool, StoreError};

/// What lets a worker write: the token was made for this claim and for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which job.
    pub job_id: Uuid,
    /// Which claim of it.
    pub token: Uuid,
}

fn columns(leases: &[Lease]) -> (Vec<Uuid>, Vec<Uuid>) {
    leases.iter().map(|lease| (lease.job_id, lease.token)).unzip()
}

/// Renews leases, in one statement for all that a worker holds. Answers those that are still ours.
///
/// # Errors
/// The database is away.
pub async fn renew(pool: &Pool, leases: &[Lease], lease_time: Duration) -> Result<Vec<Uuid>, StoreError> {
    let (ids, tokens) = columns(leases);
    Ok(sqlx::query_scalar!(
        "UPDATE jobs SET lease_until = now() + $3::bigint * interval '1 millisecond'
         FROM unnest($1::uuid[], $2::uuid[]) AS l (job_id, token)
         WHERE jobs.job_id = l.job_id AND jobs.lease_token = l.token
         RETURNING jobs.job_id",
        &ids,
        &tokens,
        milliseconds(lease_time),
    )
    .fetch_all(pool)
    .await?)
}

/// Notes which stage each run is in, in one statement for all that a worker holds. Answers those whose lease is
/// still ours: a run that was cancelled or erased is known by it long before its lease is renewed.
///
/// # Errors
/// The database is away; nothing depends on it.
pub async fn note_stages(pool: &Pool, stages: &[(Lease, Stage)]) -> Result<Vec<Uuid>, StoreError> {
    let (ids, tokens) = columns(&stages.iter().map(|(lease, _)| *lease).collect::<Vec<_>>());
    let words: Vec<String> = stages.iter().map(|(_, stage)| stage.as_str().to_owned()).collect();
    Ok(sqlx::query_scalar!(
        "UPDATE jobs SET stage = l.stage
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS l (job_id, token, stage)
         WHERE jobs.job_id = l.job_id AND jobs.lease_token = l.token
         RETURNING jobs.job_id",
        &ids,
        &tokens,
        &words,
    )
    .fetch_all(pool)
    .await?)
}

/// leased → waiting after a failure: the job is due again after `pause`. False: the lease was lost.
///
/// # Errors
/// The database is away; the lease then runs out.
pub async fn retry(pool: &Pool, lease: Lease, pause: Duration, last_error: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "UPDATE jobs SET
            work_ms = work_ms + (extract(epoch FROM now() - leased_at) * 1000)::bigint,
            available_at = now() + $3::bigint * interval '1 millisecond',
            published_at = NULL, republished = 0, stage = 'queued', last_error = $4,
            lease_token = NULL, lease_owner = NULL, leased_at = NULL, lease_until = NULL
         WHERE job_id = $1 AND lease_token = $2",
        lease.job_id,
        lease.token,
        milliseconds(pause),
        last_error,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// leased → waiting without an attempt: a worker that stops, or a service that is away, is not the
/// document's fault. Due again after `pause`.
///
/// # Errors
/// The database is away; the leases then run out.
pub async fn give_back(pool: &Pool, leases: &[Lease], pause: Duration) -> Result<u64, StoreError> {
    let (ids, tokens) = columns(leases);
    let done = sqlx::query!(
        "UPDATE jobs SET
            work_ms = work_ms + (extract(epoch FROM now() - leased_at) * 1000)::bigint,
            attempts = attempts - 1, available_at = now() + $3::bigint * interval '1 millisecond',
            published_at = NULL, republished = 0, stage = 'queued',
            lease_token = NULL, lease_owner = NULL, leased_at = NULL, lease_until = NULL
         FROM unnest($1::uuid[], $2::uuid[]) AS l (job_id, token)
         WHERE jobs.job_id = l.job_id AND jobs.lease_token = l.token",
        &ids,
        &tokens,
        milliseconds(pause),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// leased → gone, for a job that leaves no result of its own. False: the lease was lost.
///
/// # Errors
/// The database is away.
pub async fn settle(pool: &Pool, lease: Lease) -> Result<bool, StoreError> {
    let done = sqlx::query!("DELETE FROM jobs WHERE job_id = $1 AND lease_token = $2", lease.job_id, lease.token)
        .execute(pool)
        .await?;
    Ok(done.rows_affected() == 1)
}
