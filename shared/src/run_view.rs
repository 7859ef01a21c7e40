//! A run as callers see it (contract, section 2), built purely from its record: what the api
//! answers, what ends an event stream and what a full callback carries are the same words.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::error_code::Category;
use crate::domain::{Checks, Evidence, Priority, Stage, Status};
use crate::store::runs::RunRecord;

/// Who reads a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The client it belongs to.
    Owner,
    /// An operator, who sees the runs of all clients and is told whose each is.
    Operator,
}

/// A run's JSON.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// UUIDv7.
    pub run_id: Uuid,
    /// Whose run it is; named to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Where the run stands.
    pub status: Status,
    /// True only if all four checks hold; null while processing and on error.
    #[schema(required = true)]
    pub verdict: Option<bool>,
    /// The first of `errors`.
    #[schema(required = true)]
    pub error_code: Option<&'static str>,
    /// The time inside `run_id`.
    #[serde(serialize_with = "milliseconds")]
    pub created_at: DateTime<Utc>,
    /// Null while processing.
    #[serde(serialize_with = "milliseconds_or_null")]
    #[schema(required = true)]
    pub completed_at: Option<DateTime<Utc>>,
    /// As the applicant wrote it.
    #[schema(required = true)]
    pub fio: Option<String>,
    /// The caller's own number.
    #[schema(required = true)]
    pub external_request_id: Option<String>,
    /// 12 digits.
    #[schema(required = true)]
    pub iin: Option<String>,
    /// A JSON object of the caller's.
    #[schema(value_type = Object)]
    pub metadata: serde_json::Value,
    /// How urgent.
    pub priority: Priority,
    /// The uploaded file's name.
    #[schema(required = true)]
    pub original_filename: Option<String>,
    /// Media type, told by the first bytes.
    #[schema(required = true)]
    pub content_type: Option<String>,
    /// Bytes.
    #[schema(required = true)]
    pub file_size_bytes: Option<i64>,
    /// Null until the document was looked at.
    #[schema(required = true)]
    pub page_count: Option<i32>,
    /// What was found; null unless `success`.
    #[schema(required = true)]
    pub extracted: Option<Extracted>,
    /// Where it was found; null unless `success`.
    #[schema(required = true)]
    pub evidence: Option<Evidence>,
    /// The four checks; null unless `success`.
    #[schema(required = true)]
    pub checks: Option<Checks>,
    /// Sorted by `int_code`.
    pub errors: Vec<ErrorView>,
    /// A person's decision.
    #[schema(required = true)]
    pub review: Option<ReviewView>,
    /// Words for what is worth a look.
    pub flags: Vec<String>,
    /// What is being done with it.
    pub stage: Stage,
    /// Of the newest generation.
    pub attempts: i32,
    /// 1, and one more for each retry.
    pub generation: i32,
    /// An earlier run with the same file.
    #[schema(required = true)]
    pub duplicate_of: Option<Uuid>,
    /// W3C trace id of the request.
    #[schema(required = true)]
    pub trace_id: Option<String>,
    /// Seconds.
    pub timings: Timings,
}

/// What was found in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Extracted {
    /// Name in the nominative.
    #[schema(required = true)]
    pub fio: Option<String>,
    /// Date the validity is counted from.
    #[schema(required = true)]
    pub doc_date: Option<NaiveDate>,
    /// Title of the type.
    #[schema(required = true)]
    pub doc_type: Option<String>,
    /// One type of document in the file.
    #[schema(required = true)]
    pub single_doc_type: Option<bool>,
    /// The type is one of the fifteen.
    #[schema(required = true)]
    pub doc_type_known: Option<bool>,
}

/// One error of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RunError)]
pub struct ErrorView {
    /// Stable name.
    pub code: &'static str,
    /// Stable integer.
    pub int_code: i32,
    /// For people, in Russian.
    pub message: &'static str,
    /// For developers, in English.
    pub detail: String,
    /// Whose fault it is.
    #[schema(value_type = String, example = "client_error")]
    pub category: Category,
    /// Whether the same document may succeed when tried again.
    pub retryable: bool,
}

/// A person's decision, beside the machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Review)]
pub struct ReviewView {
    /// The decision.
    pub verdict: bool,
    /// Why.
    pub reason: String,
    /// When.
    #[serde(serialize_with = "milliseconds")]
    pub at: DateTime<Utc>,
}

/// Seconds; the parts are of the newest generation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Timings {
    /// Waiting for a worker.
    #[schema(required = true)]
    pub queue_seconds: Option<f64>,
    /// In OCR.
    #[schema(required = true)]
    pub ocr_seconds: Option<f64>,
    /// In the model.
    #[schema(required = true)]
    pub llm_seconds: Option<f64>,
    /// `completed_at` − `created_at`.
    #[schema(required = true)]
    pub duration_seconds: Option<f64>,
}

impl RunView {
    /// The run as this reader sees it.
    #[must_use]
    pub fn new(record: RunRecord, reader: Reader) -> Self {
        let success = record.status == Status::Success;
        let mut errors: Vec<ErrorView> = record
            .errors
            .into_iter()
            .map(|error| ErrorView {
                code: error.code.as_str(),
                int_code: error.code.int_code(),
                message: error.code.message(),
                detail: error.detail,
                category: error.code.category(),
                retryable: error.code.retryable(),
            })
            .collect();
        errors.sort_by_key(|error| error.int_code);
        Self {
            run_id: record.run_id,
            client: (reader == Reader::Operator).then_some(record.client),
            status: record.status,
            verdict: record.verdict,
            error_code: errors.first().map(|error| error.code),
            created_at: record.created_at,
            completed_at: record.completed_at,
            fio: record.fio,
            external_request_id: record.external_request_id,
            iin: record.iin,
            metadata: record.metadata,
            priority: record.priority,
            original_filename: record.original_filename,
            content_type: record.content_type,
            file_size_bytes: record.file_size_bytes,
            page_count: record.page_count,
            extracted: success.then_some(Extracted {
                fio: record.extracted_fio,
                doc_date: record.extracted_doc_date,
                doc_type: record.extracted_doc_type,
                single_doc_type: record.single_doc_type,
                doc_type_known: record.doc_type_known,
            }),
            evidence: success.then(|| record.evidence.unwrap_or_default()),
            checks: record.checks.filter(|_| success),
            errors,
            review: record.review.map(|r| ReviewView { verdict: r.verdict, reason: r.reason, at: r.at }),
            flags: record.flags,
            stage: record.stage,
            attempts: record.attempts,
            generation: record.generation,
            duplicate_of: record.duplicate_of,
            trace_id: record.trace_id,
            timings: Timings {
                queue_seconds: record.queue_seconds,
                ocr_seconds: record.ocr_seconds,
                llm_seconds: record.llm_seconds,
                duration_seconds: record.duration_seconds,
            },
        }
    }

    /// Whether nothing more will happen to it by itself.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.status != Status::Processing
    }
}

/// RFC 3339 with milliseconds and Z, as every time on the wire is written.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// For `serialize_with`.
///
/// # Errors
/// The serializer's own.
pub fn milliseconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

/// For `serialize_with`.
///
/// # Errors
/// The serializer's own.
pub fn milliseconds_or_null<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => milliseconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ErrorCode, run::EvidenceItem};
    use crate::store::runs::RecordedError;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn processing() -> RunRecord {
        RunRecord {
            run_id: "019ab0c4-0000-7000-8000-000000000001".parse().expect("an id"),
            client_id: Uuid::nil(),
            client: "bank".into(),
            created_at: time("2026-11-22T08:11:00.123456Z"),
            completed_at: None,
            fio: Some("Иванов Иван Иванович".into()),
            iin: None,
            external_request_id: Some("52015072".into()),
            metadata: serde_json::json!({}),
            priority: Priority::Normal,
            callback_url: None,
            original_filename: Some("приказ.pdf".into()),
            document_key: Some("documents/2026/11/22/x".into()),
            content_type: Some("application/pdf".into()),
            file_size_bytes: Some(87_211),
            page_count: None,
            status: Status::Processing,
            stage: Stage::Read,
            generation: 1,
            attempts: 1,
            verdict: None,
            extracted_fio: None,
            extracted_doc_date: None,
            extracted_doc_type: None,
            single_doc_type: None,
            doc_type_known: None,
            checks: None,
            evidence: None,
            errors: Vec::new(),
            review: None,
            flags: Vec::new(),
            duplicate_of: None,
            retain_from: None,
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
            duration_seconds: None,
            queue_seconds: None,
            ocr_seconds: None,
            llm_seconds: None,
            read_at: time("2026-11-22T08:12:00Z"),
        }
    }

    fn finished() -> RunRecord {
        let item =
            EvidenceItem {
                quote: "Иванову".into(), page: 1, rect: Some([212, 84, 411, 18]), confidence: Some(0.97)
            };
        RunRecord {
            status: Status::Success,
            stage: Stage::Done,
            completed_at: Some(time("2026-11-22T08:11:06.456Z")),
            verdict: Some(false),
            page_count: Some(1),
            extracted_fio: Some("Иванов Иван Иванович".into()),
            extracted_doc_date: NaiveDate::from_ymd_opt(2023, 12, 4),
            single_doc_type: Some(true),
            doc_type_known: Some(false),
            checks: Some(Checks { fio_match: Some(true), doc_type_known: Some(false), ..Checks::default() }),
            evidence: Some(Evidence { fio: Some(item), ..Evidence::default() }),
            errors: vec![
                RecordedError { code: ErrorCode::DocTypeUnknown, detail: "of none".into() },
                RecordedError { code: ErrorCode::DocDateTooOld, detail: "too old".into() },
            ],
            duration_seconds: Some(6.333),
            ..processing()
        }
    }

    fn json(record: RunRecord, reader: Reader) -> serde_json::Value {
        let text = serde_json::to_string(&RunView::new(record, reader)).expect("a run is JSON");
        serde_json::from_str(&text).expect("JSON is read back")
    }

    #[test]
    fn a_run_has_exactly_the_fields_of_the_contract() {
        let view = json(finished(), Reader::Owner);
        let mut fields: Vec<&str> = view.as_object().expect("an object").keys().map(String::as_str).collect();
        fields.sort_unstable();
        let contract = "attempts checks completed_at content_type created_at duplicate_of error_code errors evidence \
            external_request_id extracted file_size_bytes fio flags generation iin metadata original_filename page_count \
            priority review run_id stage status timings trace_id verdict";
        assert_eq!(fields.join(" "), contract);
    }

    #[test]
    fn times_have_milliseconds_and_z() {
        let view = json(finished(), Reader::Owner);
        assert_eq!(view["created_at"], "2026-11-22T08:11:00.123Z");
        assert_eq!(view["completed_at"], "2026-11-22T08:11:06.456Z");
    }

    #[test]
    fn errors_are_sorted_by_their_integer_and_the_first_is_the_error_code() {
        let view = json(finished(), Reader::Owner);
        assert_eq!(view["error_code"], "DOC_DATE_TOO_OLD");
        assert_eq!(view["errors"][0]["int_code"], 2);
        assert_eq!(view["errors"][1]["int_code"], 6);
        assert_eq!(view["errors"][0]["category"], "client_error");
        assert_eq!(view["errors"][0]["retryable"], false);
    }

    #[test]
    fn while_processing_checks_extracted_and_evidence_are_null() {
        let view = json(processing(), Reader::Owner);
        for field in ["checks", "extracted", "evidence", "verdict", "error_code", "completed_at", "review"] {
            assert!(view[field].is_null(), "{field} is not null");
        }
        assert_eq!(view["stage"], "read");
        assert_eq!(view["errors"], serde_json::json!([]));
    }

    #[test]
    fn a_box_and_a_confidence_are_written_as_they_were_found() {
        let view = json(finished(), Reader::Owner);
        let fio = &view["evidence"]["fio"];
        assert_eq!(fio["box"], serde_json::json!([212, 84, 411, 18]));
        assert_eq!(fio["confidence"].to_string(), "0.97");
    }

    #[test]
    fn the_client_is_named_to_operators_only() {
        assert_eq!(json(finished(), Reader::Operator)["client"], "bank");
        assert!(json(finished(), Reader::Owner).get("client").is_none());
    }
}
