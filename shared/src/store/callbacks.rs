//! What callers were told and how often it was tried, and the order to tell it again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError, jobs};

/// One event with its tries.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Counts from 1 for each run.
    pub sequence: i32,
    /// The same on every try.
    pub webhook_id: String,
    /// `run.completed`, `run.failed` or `run.reviewed`.
    pub kind: String,
    /// `thin`, `full` or `plain`.
    pub form: String,
    /// Where it goes.
    pub url: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// `pending`, `delivered`, `failed` or `superseded`.
    pub state: String,
    /// When it stopped being pending.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it is tried next, while pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// One try of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    /// Of which event.
    pub sequence: i32,
    /// From 1.
    pub attempt: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// How long.
    pub duration_seconds: f64,
    /// None where no answer came.
    pub status_code: Option<i32>,
    /// `delivered`, or why not.
    pub outcome: String,
}

/// The events of a run and all their tries, newest event first, tries in order.
///
/// # Errors
/// The database is unavailable.
pub async fn list(pool: &Pool, run_id: Uuid) -> Result<(Vec<EventRow>, Vec<AttemptRow>), StoreError> {
    let events = sqlx::query_as!(
        EventRow,
        r#"SELECT c.sequence, c.webhook_id, c.type AS kind, c.form, c.url, c.created_at, c.state, c.ended_at,
                  j.available_at AS "next_attempt_at?"
           FROM callbacks c
           LEFT JOIN jobs j ON j.run_id = c.run_id AND j.kind = 'callback' AND c.state = 'pending'
               AND (j.payload ->> 'sequence')::int = c.sequence
           WHERE c.run_id = $1 ORDER BY c.sequence DESC"#,
        run_id
    )
    .fetch_all(pool)
    .await?;
    let attempts = sqlx::query_as!(
        AttemptRow,
        "SELECT sequence, attempt, at, duration_seconds, status_code, outcome FROM callback_attempts
         WHERE run_id = $1 ORDER BY sequence DESC, attempt",
        run_id
    )
    .fetch_all(pool)
    .await?;
    Ok((events, attempts))
}

/// Owes the newest event of a run again: the same id, the same body. A delivery that is under way is left
/// to end. Answers the event's sequence; none where the run has no event.
///
/// # Errors
/// The database is unavailable.
pub async fn redeliver(
    pool: &Pool,
    run_id: Uuid,
    client_id: Uuid,
    actor: &str,
    ip_address: Option<std::net::IpAddr>,
    trace_context: &str,
) -> Result<Option<i32>, StoreError> {
    let mut transaction = pool.begin().await?;
    // As an erasure does it, so that of the two one waits for the other: no job may be left of a run that is gone.
    jobs::lock_all_of(&mut transaction, run_id).await?;
    sqlx::query!("SELECT run_id FROM verification_runs WHERE run_id = $1 FOR UPDATE", run_id)
        .fetch_optional(&mut *transaction)
        .await?;
    let sequence = sqlx::query_scalar!(
        r#"WITH newest AS (
            SELECT run_id, sequence FROM callbacks WHERE run_id = $1 ORDER BY sequence DESC LIMIT 1
        ), event AS (
            UPDATE callbacks c SET state = 'pending', ended_at = NULL FROM newest
            WHERE c.run_id = newest.run_id AND c.sequence = newest.sequence
            RETURNING c.run_id, c.sequence
        ), job AS (
            INSERT INTO jobs AS j (job_id, kind, run_id, client_id, payload, trace_context)
            SELECT $3, 'callback', run_id, $2, jsonb_build_object('sequence', sequence), $4 FROM event
            ON CONFLICT (run_id) WHERE kind = 'callback' DO UPDATE SET
                available_at = now(), published_at = NULL, attempts = 0
            WHERE j.lease_token IS NULL
        ), audit AS (
            INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome, details)
            SELECT $2, $5, 'callback.redelivered', run_id, $6, 'accepted', jsonb_build_object('sequence', sequence)
            FROM event
        )
        SELECT sequence AS "sequence!" FROM event"#,
        run_id,
        client_id,
        jobs::new_job_id(),
        trace_context,
        actor,
        ip_address.map(ipnetwork::IpNetwork::from),
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(sequence)
}
