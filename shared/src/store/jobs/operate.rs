//! What operators see of jobs, and what they may do with one. Every change is audited.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{Kind, milliseconds};
use crate::store::{Pool, StoreError};

/// Where a job is, as operators are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not published: not due yet, or there is no room in the window.
    Waiting,
    /// Its message is with the broker.
    Published,
    /// A worker holds it.
    Leased,
    /// A worker held it, and its lease has run out.
    Expired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Published, Self::Leased, Self::Expired];

    /// The word that operators read and write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Leased => "leased",
            Self::Expired => "expired",
        }
    }
}

/// Which jobs; what is none excludes nothing.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// For this.
    pub kind: Option<Kind>,
    /// In this state.
    pub state: Option<State>,
    /// Of the client of this name.
    pub client: Option<String>,
    /// Made at least so long ago.
    pub older_than: Duration,
}

/// One job with all that is known of it. It holds nothing of a document and nobody's name.
#[derive(Clone, Debug)]
pub struct JobRow {
    /// Its key.
    pub job_id: Uuid,
    /// `run`, `callback` or `erase`.
    pub kind: String,
    /// Which run it is about.
    pub run_id: Uuid,
    /// Whose: the client's name.
    pub client: String,
    /// `normal` or `high`.
    pub priority: String,
    /// Which generation of the run.
    pub generation: i32,
    /// [`State`] as a word.
    pub state: String,
    /// Not before.
    pub available_at: DateTime<Utc>,
    /// When its message was published.
    pub published_at: Option<DateTime<Utc>>,
    /// Publishings so far.
    pub publish_no: i32,
    /// How often its message was missing since the last claim.
    pub republished: i32,
    /// Claims so far, less what was given back.
    pub attempts: i32,
    /// Time under lease in milliseconds, summed over attempts that have ended.
    pub work_ms: i64,
    /// A run ends with TIMED_OUT then.
    pub expires_at: Option<DateTime<Utc>>,
    /// What lets its worker write.
    pub lease_token: Option<Uuid>,
    /// Who holds it.
    pub lease_owner: Option<String>,
    /// Since when.
    pub leased_at: Option<DateTime<Utc>>,
    /// Until when, unless it is renewed.
    pub lease_until: Option<DateTime<Utc>>,
    /// Whether the worker that holds it was seen in the last 30 s; none where nobody holds it.
    pub owner_alive: Option<bool>,
    /// Stage of a run.
    pub stage: String,
    /// Why it was tried again.
    pub last_error: Option<String>,
    /// callback: which event; erase: which files.
    pub payload: Value,
    /// W3C traceparent of the request.
    pub trace_context: Option<String>,
    /// When it came to be owed.
    pub created_at: DateTime<Utc>,
    /// Seconds since then, by the database's clock.
    pub age_seconds: f64,
}

/// Jobs, the oldest first, `limit` at most.
///
/// # Errors
/// The database is away.
pub async fn list(pool: &Pool, wanted: &Wanted, limit: u16) -> Result<Vec<JobRow>, StoreError> {
    select(pool, None, wanted, limit).await
}

/// The job of this id, or the jobs of the run of this id.
///
/// # Errors
/// The database is away.
pub async fn find(pool: &Pool, id: Uuid) -> Result<Vec<JobRow>, StoreError> {
    select(pool, Some(id), &Wanted::default(), u16::MAX).await
}

async fn select(pool: &Pool, id: Option<Uuid>, wanted: &Wanted, limit: u16) -> Result<Vec<JobRow>, StoreError> {
    Ok(sqlx::query_as!(
        JobRow,
        r#"SELECT j.job_id, j.kind, j.run_id, c.name AS client, j.priority, j.generation, s.state AS "state!",
               j.available_at, j.published_at, j.publish_no, j.republished, j.attempts, j.work_ms, j.expires_at,
               j.lease_token, j.lease_owner, j.leased_at, j.lease_until,
               CASE WHEN j.lease_token IS NOT NULL THEN EXISTS (SELECT FROM workers w
                    WHERE w.worker_id = j.lease_owner AND w.seen_at > now() - interval '30 seconds') END AS owner_alive,
               j.stage, j.last_error, j.payload, j.trace_context, j.created_at,
               extract(epoch FROM now() - j.created_at)::float8 AS "age_seconds!"
           FROM jobs j
           JOIN clients c ON c.client_id = j.client_id
           CROSS JOIN LATERAL (SELECT CASE
               WHEN j.lease_token IS NOT NULL AND j.lease_until < now() THEN 'expired'
               WHEN j.lease_token IS NOT NULL THEN 'leased'
               WHEN j.published_at IS NOT NULL THEN 'published'
               ELSE 'waiting' END AS state) s
           WHERE ($1::uuid IS NULL OR j.job_id = $1 OR j.run_id = $1)
             AND ($2::text IS NULL OR j.kind = $2)
             AND ($3::text IS NULL OR s.state = $3)
             AND ($4::text IS NULL OR c.name = $4)
             AND j.created_at <= now() - $5::bigint * interval '1 millisecond'
           ORDER BY j.created_at, j.job_id LIMIT $6"#,
        id,
        wanted.kind.map(Kind::as_str),
        wanted.state.map(State::as_str),
        wanted.client,
        milliseconds(wanted.older_than),
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?)
}

/// waiting or published → waiting and due now, to be published at once. A message that is under way stays
/// harmless: whichever comes second finds the job claimed. False: a worker holds it, or it is gone.
///
/// # Errors
/// The database is away.
pub async fn make_due(pool: &Pool, job_id: Uuid, actor: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH job AS (
            UPDATE jobs SET available_at = now(), published_at = NULL, republished = 0
            WHERE job_id = $1 AND lease_token IS NULL RETURNING job_id, kind, run_id, client_id
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, outcome, details)
        SELECT client_id, $2, 'job.retried', run_id, 'done', jsonb_build_object('job_id', job_id, 'kind', kind)
        FROM job",
        job_id,
        actor,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// leased → waiting, by an operator: the lease is taken away and the attempt that it stood for is not counted.
/// Its worker's token is gone, so that it can change nothing any more. While that worker is alive and its lease
/// holds, only `by_force`. False: it is held by a worker that is alive, or by nobody, or it is gone.
///
/// # Errors
/// The database is away.
pub async fn release(pool: &Pool, job_id: Uuid, by_force: bool, actor: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH held AS (
            SELECT job_id, lease_owner FROM jobs j
            WHERE job_id = $1 AND lease_token IS NOT NULL
              AND ($2 OR lease_until < now() OR NOT EXISTS (SELECT FROM workers w
                   WHERE w.worker_id = j.lease_owner AND w.seen_at > now() - interval '30 seconds'))
            FOR UPDATE
        ), job AS (
            UPDATE jobs SET
                work_ms = work_ms + greatest(0, extract(epoch FROM least(lease_until, now()) - leased_at) * 1000)::bigint,
                attempts = greatest(0, attempts - 1), available_at = now(),
                published_at = NULL, republished = 0, stage = 'queued', last_error = 'released by an operator',
                lease_token = NULL, lease_owner = NULL, leased_at = NULL, lease_until = NULL
            FROM held WHERE jobs.job_id = held.job_id
            RETURNING jobs.job_id, jobs.kind, jobs.run_id, jobs.client_id, held.lease_owner
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, outcome, details)
        SELECT client_id, $3, 'job.released', run_id, 'done',
               jsonb_build_object('job_id', job_id, 'kind', kind, 'worker', lease_owner, 'by_force', $2)
        FROM job",
        job_id,
        by_force,
        actor,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}
