//! What a warehouse may know of runs: when, how, how long, and with what end. Nothing that says who somebody is: no
//! name, no IIN, no text of a document, no file's name, nothing that callers write as they like.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::terms::Cutoffs;

/// A run, as far as it names nobody.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns of the record, by their names there")]
pub struct ExportedRun {
    pub run_id: Uuid,
    pub client: String,
    /// Only where it can be neither a name nor an IIN.
    pub external_request_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub status: String,
    pub verdict: Option<bool>,
    pub error_code: Option<String>,
    /// All of them, with commas between.
    pub error_codes: Option<String>,
    pub fio_match: Option<bool>,
    pub doc_date_valid: Option<bool>,
    pub single_doc_type: Option<bool>,
    pub doc_type_known: Option<bool>,
    pub doc_type: Option<String>,
    pub doc_date: Option<NaiveDate>,
    pub flags: String,
    pub priority: String,
    pub content_type: Option<String>,
    pub file_size_bytes: Option<i64>,
    pub page_count: Option<i32>,
    pub generation: i32,
    pub attempts: i32,
    pub ocr_engine: Option<String>,
    pub analyzer: Option<String>,
    pub model: Option<String>,
    pub prompt_version: Option<String>,
    pub pipeline_version: Option<String>,
    pub duration_seconds: Option<f64>,
    pub queue_seconds: Option<f64>,
    pub ocr_seconds: Option<f64>,
    pub llm_seconds: Option<f64>,
    pub duplicate_of: Option<Uuid>,
    pub llm_calls: i64,
    pub llm_tokens: i64,
    /// To its last digit.
    pub llm_cost: Option<String>,
}

/// The runs of a span of time after this id, `count` at most, in order; without those past their term.
///
/// # Errors
/// The database is away.
pub async fn runs(
    pool: &Pool,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Uuid,
    cutoffs: Cutoffs,
    count: i64,
) -> Result<Vec<ExportedRun>, StoreError> {
    Ok(sqlx::query_as!(
        ExportedRun,
        r#"SELECT r.run_id, c.name AS client,
                  CASE WHEN r.external_request_id ~ '^[A-Za-z0-9._:/-]{1,64}$' AND r.external_request_id ~ '[0-9]'
                            AND r.external_request_id !~ '[0-9]{12}'
                       THEN r.external_request_id END AS external_request_id,
                  r.created_at, r.completed_at, r.status, r.verdict, r.error_code, e.codes AS "error_codes?",
                  (r.validation_checks ->> 'fio_match')::boolean AS fio_match,
                  (r.validation_checks ->> 'doc_date_valid')::boolean AS doc_date_valid,
                  r.single_doc_type, r.doc_type_known, r.extracted_doc_type AS doc_type,
                  r.extracted_doc_date AS doc_date, array_to_string(r.flags, ',') AS "flags!", r.priority,
                  r.content_type, r.file_size_bytes, r.page_count, r.generation, r.attempts, r.ocr_engine,
                  r.analyzer, r.model, r.prompt_version, r.pipeline_version, r.duration_seconds, r.queue_seconds,
                  r.ocr_seconds, r.llm_seconds, r.duplicate_of, l.calls AS "llm_calls!", l.tokens AS "llm_tokens!",
                  l.cost AS "llm_cost?"
           FROM verification_runs r
           JOIN clients c ON c.client_id = r.client_id
           LEFT JOIN LATERAL (
               SELECT string_agg(code, ',' ORDER BY int_code) AS codes FROM verification_errors
               WHERE run_id = r.run_id AND generation = r.generation AND r.status <> 'processing'
           ) e ON true
           LEFT JOIN LATERAL (
               SELECT count(*) AS calls, coalesce(sum(total_tokens), 0)::bigint AS tokens, sum(cost)::text AS cost
               FROM llm_calls WHERE run_id = r.run_id
           ) l ON true
           WHERE r.run_id >= uuid7_floor($1) AND r.run_id < uuid7_floor($2) AND r.run_id > $3
             AND NOT (r.status = 'success' AND coalesce(r.retain_from, r.created_at) < $4)
             AND NOT (r.status = 'error' AND coalesce(r.retain_from, r.created_at) < $5)
           ORDER BY r.run_id LIMIT $6"#,
        from,
        to,
        after,
        cutoffs.success,
        cutoffs.error,
        count,
    )
    .fetch_all(pool)
    .await?)
}
