//! Runs of the system before this one. They come with their end: no job is made for them and no callback.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::names::fio_search;
use crate::hex::hex;
use crate::legacy::{LegacyPage, LegacyRun, LegacyVerdict};

/// The document of an old run, as it lies in the document store now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedDocument {
    /// Its key.
    pub key: String,
    /// Media type by its first bytes; none for what is no kind that we accept.
    pub content_type: Option<&'static str>,
    /// Bytes.
    pub size: i64,
    /// Of the file.
    pub sha256: [u8; 32],
}

/// An old run with its document, where that was kept.
#[derive(Clone, Debug)]
pub struct Imported {
    /// As it was read.
    pub run: LegacyRun,
    /// None: there is none any more.
    pub document: Option<ImportedDocument>,
}

/// Those of these old ids that have a run here: imported before, or a run of ours that was written in the old form.
///
/// # Errors
/// The database is away.
pub async fn known(pool: &Pool, legacy_run_ids: &[String]) -> Result<HashMap<String, Uuid>, StoreError> {
    let ours: Vec<Uuid> = legacy_run_ids.iter().filter_map(|id| id.parse().ok()).collect();
    let rows = sqlx::query!(
        r#"SELECT legacy_run_id AS "legacy_run_id!", run_id AS "run_id!" FROM verification_runs
           WHERE legacy_run_id = ANY($1)
           UNION ALL
           SELECT run_id::text, run_id FROM verification_runs WHERE run_id = ANY($2)"#,
        legacy_run_ids,
        &ours
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.legacy_run_id, row.run_id)).collect())
}

/// A run that may be the same as an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterpart {
    /// What it was found by: a caller's number, or a document's hash in hex.
    pub found_by: String,
    /// The run.
    pub run_id: Uuid,
}

/// Our own runs with these numbers of a caller's, the newest of each; imported ones are not among them.
///
/// # Errors
/// The database is away.
pub async fn by_external_id(pool: &Pool, numbers: &[String]) -> Result<Vec<Counterpart>, StoreError> {
    Ok(sqlx::query_as!(
        Counterpart,
        r#"SELECT DISTINCT ON (external_request_id) external_request_id AS "found_by!", run_id FROM verification_runs
           WHERE external_request_id = ANY($1) AND legacy_run_id IS NULL ORDER BY external_request_id, run_id DESC"#,
        numbers
    )
    .fetch_all(pool)
    .await?)
}

/// The runs with these documents (SHA-256), the newest of each, our own before imported ones.
///
/// # Errors
/// The database is away.
pub async fn by_document(pool: &Pool, hashes: &[Vec<u8>]) -> Result<Vec<Counterpart>, StoreError> {
    Ok(sqlx::query_as!(
        Counterpart,
        r#"SELECT DISTINCT ON (h.sha256) encode(h.sha256, 'hex') AS "found_by!", r.run_id
           FROM unnest($1::bytea[]) AS h (sha256) CROSS JOIN clients c
           JOIN verification_runs r ON r.client_id = c.client_id AND r.sha256 = h.sha256
           ORDER BY h.sha256, r.legacy_run_id IS NOT NULL, r.run_id DESC"#,
        hashes
    )
    .fetch_all(pool)
    .await?)
}

/// Those of these runs that were erased: what somebody had erased does not come back.
///
/// # Errors
/// The database is away.
pub async fn erased(pool: &Pool, run_ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT run_id FROM erasures WHERE run_id = ANY($1)", run_ids).fetch_all(pool).await?)
}

/// Makes the partitions of a month, where they are missing; answers how many that were.
///
/// # Errors
/// The database is away, or the role may not make tables.
pub async fn make_month(pool: &Pool, day: NaiveDate) -> Result<i32, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT make_month_partitions($1, $1) AS "made!""#, day).fetch_one(pool).await?)
}

/// Inserts runs of a client with all that belongs to them, all or none; answers which were new. Their months must
/// have been made.
///
/// # Errors
/// The database is away, or refuses one of them: none was inserted.
pub async fn insert(pool: &Pool, client_id: Uuid, actor: &str, runs: &[Imported]) -> Result<Vec<Uuid>, StoreError> {
    let rows: Vec<Row<'_>> = runs.iter().map(Row::from).collect();
    let rows = serde_json::to_value(rows).expect("rows are JSON");
    let mut transaction = pool.begin().await?;
    let inserted = sqlx::query_file_scalar!("src/store/imports/insert.sql", rows, client_id, actor)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(inserted)
}

/// One element of what the statement is given.
#[derive(Serialize)]
struct Row<'a> {
    run_id: Uuid,
    created_at: chrono::DateTime<chrono::Utc>,
    completed_at: chrono::DateTime<chrono::Utc>,
    fio: Option<&'a str>,
    fio_search: Option<String>,
    iin: Option<&'a str>,
    external_request_id: Option<&'a str>,
    metadata: &'a serde_json::Map<String, serde_json::Value>,
    original_filename: Option<&'a str>,
    document_key: Option<&'a str>,
    content_type: Option<&'static str>,
    file_size_bytes: Option<i64>,
    sha256_hex: Option<String>,
    page_count: Option<usize>,
    status: &'static str,
    error_code: Option<&'static str>,
    verdict: Option<bool>,
    extracted_fio: Option<&'a str>,
    extracted_doc_date: Option<NaiveDate>,
    extracted_doc_type: Option<&'a str>,
    single_doc_type: Option<bool>,
    doc_type_known: Option<bool>,
    validation_checks: Option<crate::domain::Checks>,
    validity_day: NaiveDate,
    ocr_seconds: Option<f64>,
    llm_seconds: Option<f64>,
    legacy_run_id: &'a str,
    trace_id: Option<&'a str>,
    codes: Vec<&'static str>,
    int_codes: Vec<i32>,
    details: Vec<&'static str>,
    pages: Vec<PageRow<'a>>,
}

#[derive(Serialize)]
struct PageRow<'a> {
    page_number: i32,
    text_content: &'a str,
}

impl<'a> From<&'a LegacyPage> for PageRow<'a> {
    fn from(page: &'a LegacyPage) -> Self {
        Self { page_number: page.number, text_content: &page.text }
    }
}

impl<'a> From<&'a Imported> for Row<'a> {
    fn from(imported: &'a Imported) -> Self {
        let Imported { run, document } = imported;
        let verdict: Option<&LegacyVerdict> = run.verdict();
        Self {
            run_id: run.run_id,
            created_at: run.created_at,
            completed_at: run.completed_at,
            fio: run.fio.as_deref(),
            fio_search: run.fio.as_deref().map(fio_search),
            iin: run.iin.as_deref(),
            external_request_id: run.external_request_id.as_deref(),
            metadata: &run.metadata,
            original_filename: run.original_filename.as_deref(),
            document_key: document.as_ref().map(|document| document.key.as_str()),
            content_type: document.as_ref().and_then(|document| document.content_type),
            file_size_bytes: document.as_ref().map(|document| document.size),
            sha256_hex: document.as_ref().map(|document| hex(&document.sha256)),
            page_count: Some(run.pages.len()).filter(|count| *count > 0),
            status: run.status().as_str(),
            error_code: run.codes.first().map(|code| code.as_str()),
            verdict: verdict.map(|verdict| verdict.verdict),
            extracted_fio: verdict.and_then(|verdict| verdict.fio.as_deref()),
            extracted_doc_date: verdict.and_then(|verdict| verdict.doc_date),
            extracted_doc_type: verdict.and_then(|verdict| verdict.doc_type.as_deref()),
            single_doc_type: verdict.and_then(|verdict| verdict.single_doc_type),
            doc_type_known: verdict.and_then(|verdict| verdict.doc_type_known),
            validation_checks: verdict.map(|verdict| verdict.checks),
            validity_day: run.validity_day,
            ocr_seconds: run.ocr_seconds,
            llm_seconds: run.llm_seconds,
            legacy_run_id: &run.legacy_run_id,
            trace_id: run.trace_id.as_deref(),
            codes: run.codes.iter().map(|code| code.as_str()).collect(),
            int_codes: run.codes.iter().map(|code| code.int_code()).collect(),
            details: run.codes.iter().map(|code| code.detail()).collect(),
            pages: run.pages.iter().map(PageRow::from).collect(),
        }
    }
}
