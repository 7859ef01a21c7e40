//! A run of ours in the old flat form, newest vintage: while both systems run side by side, what reads the old files
//! goes on reading them.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::dates::old_day;
use super::ids::OLD_ZONE;
use crate::domain::{ErrorCode, Status};
use crate::store::pages::PageRow;
use crate::store::runs::RunRecord;

/// The day that a run's folder lies under.
#[must_use]
pub fn folder_day(created_at: DateTime<Utc>) -> NaiveDate {
    old_day(created_at)
}

/// The same of an id that holds its time.
#[must_use]
pub fn folder_day_of(run_id: Uuid) -> Option<NaiveDate> {
    let (seconds, nanos) = run_id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos).map(old_day)
}

/// What a run's document is called.
#[must_use]
pub fn document_name(content_type: Option<&str>) -> String {
    let kind = content_type.and_then(|mime| mime.parse::<crate::domain::ContentType>().ok());
    format!("00_input.{}", kind.map_or("bin", crate::domain::ContentType::extension))
}

/// The files of a run that has ended, beside its document: names and what stands in them.
#[must_use]
pub fn files(run: &RunRecord, pages: &[PageRow]) -> Vec<(&'static str, Value)> {
    let pages: Vec<Value> =
        pages.iter().map(|page| json!({"page_number": page.page_number, "text": page.text_content})).collect();
    let (check, found) = answers(run);
    vec![
        ("01_ocr.json", json!({ "pages": pages })),
        ("02_llm_dtc.json", check),
        ("03_llm_ext.json", found),
        ("04_final.json", end(run)),
    ]
}

/// As the model would have answered; `{}` where nothing is known.
fn answers(run: &RunRecord) -> (Value, Value) {
    if run.status != Status::Success {
        return (json!({}), json!({}));
    }
    let quote = run.evidence.as_ref().and_then(|evidence| evidence.doc_type.as_ref());
    let check = json!({
        "single_doc_type": run.single_doc_type,
        "confidence": quote.and_then(|quote| quote.confidence),
        "detected_doc_types": run.extracted_doc_type.iter().collect::<Vec<_>>(),
        "reasoning": quote.map(|quote| &quote.quote),
        "doc_type_known": run.doc_type_known,
    });
    (check, json!({"fio": run.extracted_fio, "doc_date": run.extracted_doc_date.map(day)}))
}

fn day(date: NaiveDate) -> String {
    date.format("%d.%m.%Y").to_string()
}

fn time(at: DateTime<Utc>) -> String {
    at.with_timezone(&OLD_ZONE).to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Several documents in one file ended a run in an error then.
fn pipeline_error(run: &RunRecord) -> Option<ErrorCode> {
    let mut codes = run.errors.iter().map(|error| error.code);
    match run.status {
        Status::Error => Some(codes.next().unwrap_or(ErrorCode::UnknownError)),
        _ => codes.find(|code| *code == ErrorCode::MultipleDocuments),
    }
}

fn end(run: &RunRecord) -> Value {
    let error = pipeline_error(run);
    let verdict = run.verdict.filter(|_| error.is_none());
    let found = verdict.map(|_| run);
    let checks = run.checks.filter(|_| error.is_none());
    let mut words = run.fio.iter().flat_map(|fio| fio.split_whitespace());
    let (last, first) = (words.next(), words.next());
    let rest = words.collect::<Vec<_>>().join(" ");
    let codes: Vec<i32> = match error {
        Some(_) => Vec::new(),
        None => run.errors.iter().map(|error| error.code.int_code()).collect(),
    };
    json!({
        "run_id": run.run_id,
        "trace_id": run.trace_id,
        "created_at": time(run.created_at),
        "completed_at": run.completed_at.map(time),
        "processing_time_seconds": run.duration_seconds,
        "external_request_id": run.external_request_id,
        "external_s3_path": null,
        "external_iin": run.iin,
        "external_last_name": last,
        "external_first_name": first,
        "external_second_name": last.map(|_| rest),
        "status": if error.is_some() { Status::Error } else { run.status },
        "pipeline_error_code": error.map(ErrorCode::int_code),
        "pipeline_error_message": error.map(ErrorCode::message),
        "pipeline_error_category": error.map(ErrorCode::category),
        "pipeline_error_retryable": error.map(ErrorCode::retryable),
        "extracted_fio": found.and_then(|run| run.extracted_fio.as_deref()),
        "extracted_doc_date": found.and_then(|run| run.extracted_doc_date).map(day),
        "extracted_single_doc_type": found.and_then(|run| run.single_doc_type),
        "extracted_doc_type_known": found.and_then(|run| run.doc_type_known),
        "extracted_doc_type": found.and_then(|run| run.extracted_doc_type.as_deref()),
        "rule_fio_match": checks.and_then(|checks| checks.fio_match),
        "rule_doc_date_valid": checks.and_then(|checks| checks.doc_date_valid),
        "rule_doc_type_known": checks.and_then(|checks| checks.doc_type_known),
        "rule_single_doc_type": checks.and_then(|checks| checks.single_doc_type),
        "rule_verdict": verdict,
        "rule_errors": codes,
    })
}
