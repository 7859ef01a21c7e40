//! A new generation of a run that ended in an error: in a retryable one for its client, in any for an operator.

use std::net::IpAddr;
use std::time::Duration;

use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::ErrorCode;

/// Who asks for it, and for how long it may go on.
#[derive(Clone, Debug)]
pub struct Retrier<'a> {
    /// The api key, or the operator's account.
    pub actor: &'a str,
    /// An operator decides for any error; a client may ask only after a retryable one.
    pub operator: bool,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// W3C traceparent of the request.
    pub trace_context: &'a str,
    /// `RUN_MAX_AGE`.
    pub max_age: Duration,
}

/// Begins the new generation; its number. None where the run did not end in an error that this retrier may try
/// again, or its document is gone. A dead letter of the generation before goes with it.
///
/// # Errors
/// The database is unavailable.
pub async fn begin(
    pool: &Pool,
    run_id: Uuid,
    client_id: Uuid,
    retrier: &Retrier<'_>,
) -> Result<Option<i32>, StoreError> {
    let retryable = ErrorCode::ALL.iter().filter(|code| code.retryable()).map(|code| code.as_str().to_owned());
    let retryable: Vec<String> = retryable.collect();
    Ok(sqlx::query_scalar!(
        r#"WITH run AS (
            UPDATE verification_runs SET
                status = 'processing', stage = 'queued', generation = generation + 1, attempts = 0,
                completed_at = NULL, error_code = NULL, error_details = NULL, stage_timings = NULL, flags = '{}',
                ocr_engine = NULL, analyzer = NULL, model = NULL, prompt_version = NULL, pipeline_version = NULL,
                duration_seconds = NULL, queue_seconds = NULL, ocr_seconds = NULL, llm_seconds = NULL
            WHERE run_id = $1 AND client_id = $2 AND status = 'error' AND ($9 OR error_code = ANY ($3))
              AND document_key IS NOT NULL
            RETURNING run_id, client_id, priority, generation
        ), job AS (
            INSERT INTO jobs (job_id, kind, run_id, client_id, priority, generation, expires_at, trace_context)
            SELECT $4, 'run', run_id, client_id, priority, generation, now() + $5::float8 * interval '1 second', $6
            FROM run
        ), dead AS (
            DELETE FROM dead_jobs USING run WHERE dead_jobs.run_id = run.run_id
        ), audit AS (
            INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome, details)
            SELECT client_id, $7, 'run.retried', run_id, $8, 'accepted',
                   jsonb_build_object('generation', generation)
            FROM run
        )
        SELECT generation AS "generation!" FROM run"#,
        run_id,
        client_id,
        &retryable,
        super::jobs::new_job_id(),
        retrier.max_age.as_secs_f64(),
        retrier.trace_context,
        retrier.actor,
        retrier.ip_address.map(ipnetwork::IpNetwork::from),
        retrier.operator,
    )
    .fetch_optional(pool)
    .await?)
}
