//! The record of a run: its row, joined with what lives elsewhere while or after it is processed.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::terms::counts_from;
use crate::domain::{Checks, ErrorCode, Evidence, Priority, Stage, Status};

/// A run as it is recorded. `stage` and `attempts` are the live job's while it is processing.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// UUIDv7.
    pub run_id: Uuid,
    /// Whose run it is.
    pub client_id: Uuid,
    /// The client's name.
    pub client: String,
    /// The time inside `run_id`.
    pub created_at: DateTime<Utc>,
    /// Set exactly when not processing.
    pub completed_at: Option<DateTime<Utc>>,
    /// As the applicant wrote it; none in some imported runs.
    pub fio: Option<String>,
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
    pub original_filename: Option<String>,
    /// Key in the document store; none once the document is gone.
    pub document_key: Option<String>,
    /// Media type, told by the first bytes.
    pub content_type: Option<String>,
    /// Bytes.
    pub file_size_bytes: Option<i64>,
    /// Pages of the document.
    pub page_count: Option<i32>,
    /// Where the run stands.
    pub status: Status,
    /// What is being done with it.
    pub stage: Stage,
    /// 1, and one more for each retry.
    pub generation: i32,
    /// Claims of the newest generation.
    pub attempts: i32,
    /// True only if all four checks hold.
    pub verdict: Option<bool>,
    /// Name found.
    pub extracted_fio: Option<String>,
    /// Date found.
    pub extracted_doc_date: Option<NaiveDate>,
    /// Title of the type found.
    pub extracted_doc_type: Option<String>,
    /// One type of document in the file.
    pub single_doc_type: Option<bool>,
    /// The type is one of the fifteen.
    pub doc_type_known: Option<bool>,
    /// Exactly on success.
    pub checks: Option<Checks>,
    /// Where the values stand; none unless success.
    pub evidence: Option<Evidence>,
    /// Of the newest generation.
    pub errors: Vec<RecordedError>,
    /// The newest decision of a person.
    pub review: Option<RecordedReview>,
    /// Words for what is worth a look.
    pub flags: Vec<String>,
    /// An earlier run with the same file.
    pub duplicate_of: Option<Uuid>,
    /// From when its terms count where that is not its creation: of imported runs.
    pub retain_from: Option<DateTime<Utc>>,
    /// W3C trace id of the request.
    pub trace_id: Option<String>,
    /// `completed_at` − `created_at`.
    pub duration_seconds: Option<f64>,
    /// Waiting for a worker.
    pub queue_seconds: Option<f64>,
    /// In OCR.
    pub ocr_seconds: Option<f64>,
    /// In the model.
    pub llm_seconds: Option<f64>,
    /// The database's time when this was read: terms are judged by it.
    pub read_at: DateTime<Utc>,
}

impl RunRecord {
    /// From when its terms count.
    #[must_use]
    pub fn counts_from(&self) -> DateTime<Utc> {
        counts_from(self.created_at, self.retain_from)
    }
}

/// One error of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedError {
    /// Its code.
    pub code: ErrorCode,
    /// For developers; holds nothing of the document.
    pub detail: String,
}

/// A person's decision, beside the machine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReview {
    /// The decision.
    pub verdict: bool,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// One run.
///
/// # Errors
/// The database is unavailable, or the row cannot be read.
pub async fn find(pool: &Pool, run_id: Uuid) -> Result<Option<RunRecord>, StoreError> {
    Ok(find_many(pool, &[run_id]).await?.pop())
}

/// The runs with these ids, newest first; unknown ids are left out.
///
/// # Errors
/// The database is unavailable, or a row cannot be read.
pub async fn find_many(pool: &Pool, run_ids: &[Uuid]) -> Result<Vec<RunRecord>, StoreError> {
    find_in(pool, run_ids).await
}

/// The same inside a transaction, which sees what it has written itself.
///
/// # Errors
/// The database is unavailable, or a row cannot be read.
pub(crate) async fn find_in(
    executor: impl sqlx::PgExecutor<'_>,
    run_ids: &[Uuid],
) -> Result<Vec<RunRecord>, StoreError> {
    // unnest and join, not ANY: a join looks into the one partition that can hold an id. SELECT hides the length of
    // the array from the planner, which would plan anew for each, five times as long as the statement then runs.
    let rows = sqlx::query_as!(
        RunRow,
        r#"SELECT r.run_id, r.client_id, c.name AS client, r.created_at, r.completed_at, r.fio, r.iin,
                  r.external_request_id, r.metadata, r.priority, r.callback_url, r.original_filename,
                  r.document_key, r.content_type, r.file_size_bytes, r.page_count, r.status,
                  coalesce(j.stage, r.stage) AS "stage!", r.generation, coalesce(j.attempts, r.attempts) AS "attempts!",
                  r.verdict, r.extracted_fio, r.extracted_doc_date, r.extracted_doc_type, r.single_doc_type,
                  r.doc_type_known, r.validation_checks, r.evidence, e.codes AS "codes?", e.details AS "details?",
                  v.verdict AS "review_verdict?", v.reason AS "review_reason?", v.at AS "review_at?",
                  r.flags, r.duplicate_of, r.retain_from, r.trace_id, r.duration_seconds, r.queue_seconds, r.ocr_seconds,
                  r.llm_seconds, now() AS "read_at!"
           FROM unnest((SELECT $1::uuid[])) AS wanted (run_id)
           JOIN verification_runs r ON r.run_id = wanted.run_id
           JOIN clients c ON c.client_id = r.client_id
           LEFT JOIN jobs j ON j.run_id = r.run_id AND j.kind = 'run' AND r.status = 'processing'
           LEFT JOIN LATERAL (
               SELECT array_agg(code ORDER BY int_code) AS codes, array_agg(detail ORDER BY int_code) AS details
               FROM verification_errors
               WHERE run_id = r.run_id AND generation = r.generation AND r.error_code IS NOT NULL
           ) e ON true
           LEFT JOIN LATERAL (
               SELECT verdict, reason, at FROM reviews WHERE run_id = r.run_id ORDER BY review_number DESC LIMIT 1
           ) v ON r.status <> 'processing'
           ORDER BY r.run_id DESC"#,
        run_ids
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(RunRecord::try_from).collect()
}

struct RunRow {
    run_id: Uuid,
    client_id: Uuid,
    client: String,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    fio: Option<String>,
    iin: Option<String>,
    external_request_id: Option<String>,
    metadata: serde_json::Value,
    priority: String,
    callback_url: Option<String>,
    original_filename: Option<String>,
    document_key: Option<String>,
    content_type: Option<String>,
    file_size_bytes: Option<i64>,
    page_count: Option<i32>,
    status: String,
    stage: String,
    generation: i32,
    attempts: i32,
    verdict: Option<bool>,
    extracted_fio: Option<String>,
    extracted_doc_date: Option<NaiveDate>,
    extracted_doc_type: Option<String>,
    single_doc_type: Option<bool>,
    doc_type_known: Option<bool>,
    validation_checks: Option<serde_json::Value>,
    evidence: Option<serde_json::Value>,
    codes: Option<Vec<String>>,
    details: Option<Vec<String>>,
    review_verdict: Option<bool>,
    review_reason: Option<String>,
    review_at: Option<DateTime<Utc>>,
    flags: Vec<String>,
    duplicate_of: Option<Uuid>,
    retain_from: Option<DateTime<Utc>>,
    trace_id: Option<String>,
    duration_seconds: Option<f64>,
    queue_seconds: Option<f64>,
    ocr_seconds: Option<f64>,
    llm_seconds: Option<f64>,
    read_at: DateTime<Utc>,
}

impl TryFrom<RunRow> for RunRecord {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let id = row.run_id;
        let bad = |column: &'static str| StoreError::BadRow { table: "verification_runs", column, id };
        let json = |value: Option<serde_json::Value>| value.filter(|value| !value.is_null());
        let errors = row.codes.unwrap_or_default().into_iter().zip(row.details.unwrap_or_default());
        let errors = errors
            .map(|(code, detail)| match code.parse() {
                Ok(code) => Ok(RecordedError { code, detail }),
                Err(_) => Err(StoreError::BadRow { table: "verification_errors", column: "code", id }),
            })
            .collect::<Result<_, _>>()?;
        let review = match (row.review_verdict, row.review_reason, row.review_at) {
            (Some(verdict), Some(reason), Some(at)) => Some(RecordedReview { verdict, reason, at }),
            _ => None,
        };
        Ok(Self {
            run_id: id,
            client_id: row.client_id,
            client: row.client,
            created_at: row.created_at,
            completed_at: row.completed_at,
            fio: row.fio,
            iin: row.iin,
            external_request_id: row.external_request_id,
            metadata: row.metadata,
            priority: row.priority.parse().map_err(|_| bad("priority"))?,
            callback_url: row.callback_url,
            original_filename: row.original_filename,
            document_key: row.document_key,
            content_type: row.content_type,
            file_size_bytes: row.file_size_bytes,
            page_count: row.page_count,
            status: row.status.parse().map_err(|_| bad("status"))?,
            stage: row.stage.parse().map_err(|_| bad("stage"))?,
            generation: row.generation,
            attempts: row.attempts,
            verdict: row.verdict,
            extracted_fio: row.extracted_fio,
            extracted_doc_date: row.extracted_doc_date,
            extracted_doc_type: row.extracted_doc_type,
            single_doc_type: row.single_doc_type,
            doc_type_known: row.doc_type_known,
            checks: json(row.validation_checks)
                .map(serde_json::from_value)
                .transpose()
                .map_err(|_| bad("validation_checks"))?,
            evidence: json(row.evidence).map(serde_json::from_value).transpose().map_err(|_| bad("evidence"))?,
            errors,
            review,
            flags: row.flags,
            duplicate_of: row.duplicate_of,
            retain_from: row.retain_from,
            trace_id: row.trace_id,
            duration_seconds: row.duration_seconds,
            queue_seconds: row.queue_seconds,
            ocr_seconds: row.ocr_seconds,
            llm_seconds: row.llm_seconds,
            read_at: row.read_at,
        })
    }
}
