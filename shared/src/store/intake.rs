//! The one statement of a submission: run, job, idempotency key and audit together or not at all.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::{ContentType, Priority};

/// A run that is about to begin.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// UUIDv7 of the database's clock.
    pub run_id: Uuid,
    /// The time inside `run_id`.
    pub created_at: DateTime<Utc>,
    /// Whose run it is.
    pub client_id: Uuid,
    /// The key that submitted it.
    pub created_by: Uuid,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// As the applicant wrote it.
    pub fio: String,
    /// `fio`, normalised for search.
    pub fio_search: String,
    /// 12 digits.
    pub iin: Option<String>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// A JSON object of the caller's.
    pub metadata: serde_json::Value,
    /// How urgent.
    pub priority: Priority,
    /// Where the end is told.
    pub callback_url: Option<String>,
    /// The uploaded file's name, cleaned.
    pub original_filename: String,
    /// Key in the document store.
    pub document_key: String,
    /// Told by the first bytes.
    pub content_type: ContentType,
    /// Bytes.
    pub file_size_bytes: i64,
    /// Of the file.
    pub sha256: [u8; 32],
    /// The day that the document's date is judged by.
    pub validity_day: NaiveDate,
    /// W3C trace id.
    pub trace_id: String,
    /// W3C traceparent.
    pub trace_context: String,
    /// `RUN_MAX_AGE`.
    pub max_age: Duration,
}

/// The idempotency key that the statement completes.
#[derive(Clone, Debug)]
pub struct ReservedKey {
    /// As the caller sent it.
    pub key: String,
    /// Whoever holds it may complete it.
    pub token: Uuid,
    /// Hash of what was submitted.
    pub content_hash: Vec<u8>,
}

/// Begins a run. False, and nothing is written, where the idempotency key is no longer ours.
///
/// # Errors
/// The database is unavailable, or a value cannot be one.
pub async fn begin(pool: &Pool, run: &NewRun, key: Option<&ReservedKey>) -> Result<bool, StoreError> {
    let ip_address = run.ip_address.map(ipnetwork::IpNetwork::from);
    let begun = sqlx::query_scalar!(
        r#"WITH reserved AS (
            UPDATE idempotency_keys SET run_id = $1, content_hash = $23, alive_at = now()
            WHERE client_id = $3 AND key = $21 AND token = $22 AND run_id IS NULL
            RETURNING 1
        ), run AS (
            INSERT INTO verification_runs (
                run_id, created_at, client_id, created_by, ip_address, fio, fio_search, iin, external_request_id,
                metadata, priority, callback_url, original_filename, document_key, content_type, file_size_bytes,
                sha256, validity_day, trace_id, duplicate_of)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                -- the first of the same client with the same bytes
                (SELECT d.run_id FROM verification_runs d WHERE d.sha256 = $17 AND d.client_id = $3
                 ORDER BY d.run_id LIMIT 1)
            WHERE $21::text IS NULL OR EXISTS (SELECT FROM reserved)
            RETURNING run_id, client_id
        ), job AS (
            INSERT INTO jobs (job_id, kind, run_id, client_id, priority, expires_at, trace_context)
            SELECT $24, 'run', run_id, client_id, $11, now() + $25::float8 * interval '1 second', $20 FROM run
        ), event AS (
            INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome)
            SELECT client_id, $4::uuid::text, 'run.submitted', run_id, $5, 'accepted' FROM run
        )
        SELECT run_id AS "run_id!" FROM run"#,
        run.run_id,
        run.created_at,
        run.client_id,
        run.created_by,
        ip_address,
        run.fio,
        run.fio_search,
        run.iin,
        run.external_request_id,
        run.metadata,
        run.priority.as_str(),
        run.callback_url,
        run.original_filename,
        run.document_key,
        run.content_type.as_mime(),
        run.file_size_bytes,
        &run.sha256[..],
        run.validity_day,
        run.trace_id,
        run.trace_context,
        key.map(|key| key.key.as_str()),
        key.map(|key| key.token),
        key.map(|key| &key.content_hash[..]),
        super::jobs::new_job_id(),
        run.max_age.as_secs_f64(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(begun.is_some())
}
