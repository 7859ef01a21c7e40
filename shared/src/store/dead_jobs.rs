//! `dead_jobs`: what was given up, for an operator to look at.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{Pool, StoreError, jobs};

/// A dead letter. It holds nothing of a document and nobody's name.
#[derive(Clone, Debug)]
pub struct DeadRow {
    /// Its key: the job that died.
    pub job_id: Uuid,
    /// `run`, or `message`: a message that the broker set aside, whose job was gone.
    pub kind: String,
    /// Which run; none: the message could not be read.
    pub run_id: Option<Uuid>,
    /// Whose; none: not known.
    pub client: Option<String>,
    /// Whose, as the key of the client.
    pub client_id: Option<Uuid>,
    /// Which generation of the run.
    pub generation: Option<i32>,
    /// Claims that it had.
    pub attempts: i32,
    /// Why it was given up.
    pub reason: String,
    /// Who wrote it.
    pub last_worker: Option<String>,
    /// As the job's.
    pub payload: Value,
    /// When.
    pub died_at: DateTime<Utc>,
}

/// Dead letters, the newest first, `limit` at most; with an id the one of this job, or those of this run.
///
/// # Errors
/// The database is away.
pub async fn list(pool: &Pool, id: Option<Uuid>, limit: u16) -> Result<Vec<DeadRow>, StoreError> {
    Ok(sqlx::query_as!(
        DeadRow,
        r#"SELECT d.job_id, d.kind, d.run_id, c.name AS "client?", d.client_id, d.generation, d.attempts, d.reason,
                  d.last_worker, d.payload, d.died_at
           FROM dead_jobs d LEFT JOIN clients c ON c.client_id = d.client_id
           WHERE $1::uuid IS NULL OR d.job_id = $1 OR d.run_id = $1
           ORDER BY d.died_at DESC, d.job_id LIMIT $2"#,
        id,
        i64::from(limit),
    )
    .fetch_all(pool)
    .await?)
}

/// How many there are.
///
/// # Errors
/// The database is away.
pub async fn count(pool: &Pool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM dead_jobs"#).fetch_one(pool).await?)
}

/// Forgets a dead letter; the audit keeps that it was there and who dropped it. False: it is gone.
///
/// # Errors
/// The database is away.
pub async fn drop_letter(pool: &Pool, job_id: Uuid, actor: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH letter AS (
            DELETE FROM dead_jobs WHERE job_id = $1 RETURNING job_id, kind, run_id, client_id, reason
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, outcome, details)
        SELECT client_id, $2, 'dead.dropped', run_id, 'done',
               jsonb_build_object('job_id', job_id, 'kind', kind, 'reason', reason)
        FROM letter",
        job_id,
        actor,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A dead letter of the broker, on its way into the table.
#[derive(Clone, Debug)]
pub struct NewDeadMessage {
    /// Which job it named; none: it cannot be read.
    pub job_id: Option<Uuid>,
    /// Which run.
    pub run_id: Option<Uuid>,
    /// Why the broker set it aside.
    pub reason: String,
}

/// Keeps dead letters of the broker. A letter that is kept already, or whose job lives on, adds nothing: upkeep
/// publishes that job again.
///
/// # Errors
/// The database is away.
pub async fn keep_messages(pool: &Pool, letters: &[NewDeadMessage]) -> Result<u64, StoreError> {
    let mut kept = 0;
    for letter in letters {
        let done = sqlx::query!(
            "INSERT INTO dead_jobs (job_id, kind, run_id, reason)
             SELECT $1, 'message', $2, 'broker: ' || $3::text
             WHERE NOT EXISTS (SELECT FROM jobs WHERE job_id = $1)
             ON CONFLICT (job_id) DO NOTHING",
            letter.job_id.unwrap_or_else(jobs::new_job_id),
            letter.run_id,
            letter.reason,
        )
        .execute(pool)
        .await?;
        kept += done.rows_affected();
    }
    Ok(kept)
}
