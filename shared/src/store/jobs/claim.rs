//! published → leased.

use std::time::Duration;

use chrono::NaiveDate;
use uuid::Uuid;

use super::lease::Lease;
use super::milliseconds;
use crate::store::{Pool, StoreError};

/// A run that is ours to work on.
#[derive(Clone, Debug)]
pub struct RunClaim {
    /// What lets us write.
    pub lease: Lease,
    /// Which run.
    pub run_id: Uuid,
    /// Whose.
    pub client_id: Uuid,
    /// Which generation.
    pub generation: i32,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What is left of its work budget and of its age, the shorter.
    pub time_left: Duration,
    /// `traceparent` of the request.
    pub trace_context: Option<String>,
    /// The applicant's name.
    pub fio: String,
    /// Where the document is.
    pub document_key: String,
    /// What the document is, as a media type.
    pub content_type: String,
    /// Its size in bytes.
    pub file_size_bytes: i64,
    /// The day its date is judged by.
    pub validity_day: NaiveDate,
    /// Its end is told to a caller.
    pub owes_callback: bool,
}

/// Claims the job of a run for `lease_time`. None: it is finished, erased, not due, out of time, paused, or
/// somebody else's; its message is then settled and forgotten.
///
/// # Errors
/// The database is away.
pub async fn claim_run(
    pool: &Pool,
    (job_id, run_id): (Uuid, Uuid),
    owner: &str,
    lease_time: Duration,
    max_attempts: u32,
    work_budget: Duration,
) -> Result<Option<RunClaim>, StoreError> {
    let token = Uuid::new_v4();
    let row = sqlx::query!(
        r#"WITH claimed AS (
            UPDATE jobs SET
                work_ms = work_ms + coalesce(extract(epoch FROM least(lease_until, now()) - leased_at) * 1000, 0)::bigint,
                lease_token = $3, lease_owner = $4, leased_at = now(),
                lease_until = now() + $5::bigint * interval '1 millisecond',
                attempts = attempts + 1, stage = 'acquire'
            WHERE job_id = $1 AND run_id = $2 AND kind = 'run' AND available_at <= now()
              AND (lease_token IS NULL OR lease_until < now())
              AND attempts < $6 AND work_ms < $7 AND (expires_at IS NULL OR expires_at > now())
              AND NOT EXISTS (SELECT FROM switches WHERE name = 'runs' AND paused_at IS NOT NULL)
            RETURNING run_id, client_id, generation, attempts, trace_context,
                least($7 - work_ms, extract(epoch FROM expires_at - now()) * 1000)::bigint AS left_ms
        )
        SELECT c.client_id, c.generation, c.attempts, c.trace_context, c.left_ms AS "left_ms!",
               r.fio AS "fio!", r.document_key AS "document_key!", r.content_type AS "content_type!",
               r.file_size_bytes AS "file_size_bytes!", r.validity_day,
               r.callback_url IS NOT NULL AS "owes_callback!"
        -- joined by the job's own id: by the parameter, the planner would plan anew for every run, in the hope of
        -- leaving months out
        FROM claimed c JOIN verification_runs r ON r.run_id = c.run_id"#,
        job_id,
        run_id,
        token,
        owner,
        milliseconds(lease_time),
        i32::try_from(max_attempts).unwrap_or(i32::MAX),
        milliseconds(work_budget),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| RunClaim {
        lease: Lease { job_id, token },
        run_id,
        client_id: row.client_id,
        generation: row.generation,
        attempt: row.attempts,
        time_left: Duration::from_millis(u64::try_from(row.left_ms).unwrap_or(0)),
        trace_context: row.trace_context,
        fio: row.fio,
        document_key: row.document_key,
        content_type: row.content_type,
        file_size_bytes: row.file_size_bytes,
        validity_day: row.validity_day,
        owes_callback: row.owes_callback,
    }))
}

/// A callback that is ours to deliver.
#[derive(Clone, Debug)]
pub struct CallbackClaim {
    /// What lets us write.
    pub lease: Lease,
    /// Which run it is about.
    pub run_id: Uuid,
    /// Whose.
    pub client_id: Uuid,
    /// Which event of the run.
    pub sequence: i32,
    /// Which try of the schedule this is, from 1.
    pub attempt: i32,
    /// How long it has been owed.
    pub age: Duration,
    /// Header `webhook-id`.
    pub webhook_id: String,
    /// `thin`, `full` or `plain`.
    pub form: String,
    /// Where to.
    pub url: String,
    /// What, the same on every try.
    pub body: String,
    /// user:password of the plain form, sealed.
    pub basic: Option<Vec<u8>>,
    /// The client's live secrets, sealed, newest first.
    pub secrets: Vec<Vec<u8>>,
    /// `traceparent` of the request.
    pub trace_context: Option<String>,
}

/// Claims the delivery of a callback. None as for a run.
///
/// # Errors
/// The database is away.
pub async fn claim_callback(
    pool: &Pool,
    (job_id, run_id): (Uuid, Uuid),
    owner: &str,
    lease_time: Duration,
) -> Result<Option<CallbackClaim>, StoreError> {
    let token = Uuid::new_v4();
    let row = sqlx::query!(
        r#"WITH claimed AS (
            UPDATE jobs SET
                lease_token = $3, lease_owner = $4, leased_at = now(),
                lease_until = now() + $5::bigint * interval '1 millisecond', attempts = attempts + 1
            WHERE job_id = $1 AND kind = 'callback' AND available_at <= now()
              AND (lease_token IS NULL OR lease_until < now())
              AND NOT EXISTS (SELECT FROM switches WHERE name = 'callbacks' AND paused_at IS NOT NULL)
            RETURNING client_id, attempts, trace_context, (payload ->> 'sequence')::int AS sequence,
                (extract(epoch FROM now() - created_at) * 1000)::bigint AS age_ms
        )
        SELECT j.client_id, j.attempts, j.trace_context, j.age_ms AS "age_ms!", c.sequence, c.webhook_id, c.form, c.url, c.body,
               -- credentials go with the plain form and with no other
               CASE WHEN c.form = 'plain' THEN k.callback_basic END AS callback_basic,
               ARRAY(SELECT s.secret FROM client_secrets s
                     WHERE s.client_id = j.client_id AND (s.retire_at IS NULL OR s.retire_at > now())
                     ORDER BY s.created_at DESC) AS "secrets!"
        FROM claimed j
        JOIN callbacks c ON c.run_id = $2 AND c.sequence = j.sequence
        JOIN clients k ON k.client_id = j.client_id"#,
        job_id,
        run_id,
        token,
        owner,
        milliseconds(lease_time),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| CallbackClaim {
        lease: Lease { job_id, token },
        run_id,
        client_id: row.client_id,
        sequence: row.sequence,
        attempt: row.attempts,
        age: Duration::from_millis(u64::try_from(row.age_ms).unwrap_or(0)),
        webhook_id: row.webhook_id,
        form: row.form,
        url: row.url,
        body: row.body,
        basic: row.callback_basic,
        secrets: row.secrets,
        trace_context: row.trace_context,
    }))
}

/// Files that are ours to take out of the document store.
#[derive(Clone, Debug)]
pub struct EraseClaim {
    /// What lets us write.
    pub lease: Lease,
    /// Which run they belonged to.
    pub run_id: Uuid,
    /// The store's keys.
    pub keys: Vec<String>,
    /// Which attempt this is, from 1.
    pub attempt: i32,
}

/// Claims an erasure.
///
/// # Errors
/// The database is away.
pub async fn claim_erase(
    pool: &Pool,
    job_id: Uuid,
    owner: &str,
    lease_time: Duration,
) -> Result<Option<EraseClaim>, StoreError> {
    let token = Uuid::new_v4();
    let row = sqlx::query!(
        r#"UPDATE jobs SET
            lease_token = $2, lease_owner = $3, leased_at = now(),
            lease_until = now() + $4::bigint * interval '1 millisecond', attempts = attempts + 1
        WHERE job_id = $1 AND kind = 'erase' AND available_at <= now()
          AND (lease_token IS NULL OR lease_until < now())
        RETURNING run_id, attempts, ARRAY(SELECT jsonb_array_elements_text(payload -> 'keys')) AS "keys!""#,
        job_id,
        token,
        owner,
        milliseconds(lease_time),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| EraseClaim {
        lease: Lease { job_id, token },
        run_id: row.run_id,
        keys: row.keys,
        attempt: row.attempts,
    }))
}
