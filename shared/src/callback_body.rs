//! What a callback says (contract, section 3): made when the event happens, stored, the same on every try.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::{ErrorCode, Status};
use crate::run_view::rfc3339;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// A verdict was given.
    RunCompleted,
    /// The run ended in error.
    RunFailed,
    /// A person has decided.
    RunReviewed,
    /// Somebody tries whether callbacks arrive.
    Test,
}

impl EventType {
    /// The word in `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunCompleted => "run.completed",
            Self::RunFailed => "run.failed",
            Self::RunReviewed => "run.reviewed",
            Self::Test => "test",
        }
    }
}

/// An event of the thin or the full form.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// When it happened, not when it is told.
    pub timestamp: DateTime<Utc>,
    /// Counts from 1 for each run.
    pub sequence: i32,
    /// [`thin_data`], or the whole run.
    pub data: Value,
}

impl Event {
    /// The body that is stored and signed.
    pub fn body(&self) -> String {
        json!({
            "type": self.kind.as_str(),
            "timestamp": rfc3339(self.timestamp),
            "sequence": self.sequence,
            "data": self.data,
        })
        .to_string()
    }
}

/// `webhook-id` of an event. It holds no dot, since the signature is made over parts that dots divide.
pub fn webhook_id(run_id: Uuid, sequence: i32) -> String {
    format!("evt_{}_{sequence}", run_id.simple())
}

/// `data` of the thin form: no name, no IIN, no text.
pub fn thin_data(
    run_id: Uuid,
    external_request_id: Option<&str>,
    status: Status,
    verdict: Option<bool>,
    errors: &[ErrorCode],
) -> Value {
    let codes: Vec<&str> = errors.iter().map(|code| code.as_str()).collect();
    json!({
        "run_id": run_id,
        "external_request_id": external_request_id,
        "status": status.as_str(),
        "verdict": verdict,
        "error_codes": codes,
    })
}

/// Body of the plain form, which older callers expect: `success` only when the verdict is true.
pub fn plain(run_id: Uuid, external_request_id: Option<&str>, verdict: Option<bool>, errors: &[ErrorCode]) -> String {
    let codes: Vec<i32> = errors.iter().map(|code| code.int_code()).collect();
    json!({
        "request_id": external_request_id.map_or_else(|| run_id.to_string(), str::to_owned),
        "status": if verdict == Some(true) { "success" } else { "fail" },
        "err_codes": codes,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_webhook_id_has_no_dot_and_differs_by_event() {
        assert!(!webhook_id(RUN, 1).contains('.'));
        assert_ne!(webhook_id(RUN, 1), webhook_id(RUN, 2));
    }

    #[test]
    fn the_plain_form_says_success_only_of_an_accepted_document() {
        let status = |verdict, errors: &[ErrorCode]| {
            let body: Value = serde_json::from_str(&plain(RUN, Some("52015072"), verdict, errors)).expect("JSON");
            (body["request_id"].clone(), body["status"].clone(), body["err_codes"].clone())
        };
        assert_eq!(status(Some(true), &[]), (json!("52015072"), json!("success"), json!([])));
        let refused = status(Some(false), &[ErrorCode::DocDateTooOld, ErrorCode::FioMismatch]);
        assert_eq!(refused, (json!("52015072"), json!("fail"), json!([2, 4])));
        assert_eq!(status(None, &[ErrorCode::OcrFailed]).1, json!("fail"));
    }

    #[test]
    fn the_plain_form_names_the_run_where_the_caller_gave_no_id() {
        let body: Value = serde_json::from_str(&plain(RUN, None, Some(true), &[])).expect("JSON");
        assert_eq!(body["request_id"], json!(RUN.to_string()));
    }

    #[test]
    fn the_thin_form_holds_the_five_fields_of_the_contract() {
        let data = thin_data(RUN, None, Status::Success, Some(false), &[ErrorCode::FioMismatch]);
        let event = Event { kind: EventType::RunCompleted, timestamp: DateTime::UNIX_EPOCH, sequence: 1, data };
        let body: Value = serde_json::from_str(&event.body()).expect("JSON");
        assert_eq!(body["type"], "run.completed");
        assert_eq!(body["timestamp"], "1970-01-01T00:00:00.000Z");
        assert_eq!(body["sequence"], 1);
        let mut fields: Vec<_> = body["data"].as_object().expect("an object").keys().cloned().collect();
        fields.sort();
        assert_eq!(fields, ["error_codes", "external_request_id", "run_id", "status", "verdict"]);
    }
}
