//! published → leased, for callbacks and erasures.

use std::time::Duration;

use uuid::Uuid;

use super::lease::Lease;
use super::milliseconds;
use crate::store::{Pool, StoreError};

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
