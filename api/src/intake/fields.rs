//! The fields of a submission beside its file: judged all together, so that a caller learns of every fault
//! at once.

use serde_json::Value;
use shared::callback_target::check_url;
use shared::domain::Priority;
use shared::domain::names::validate_applicant;
use shared::settings::Allowed;

use crate::problem::{Code, FieldError, Problem};

/// Bytes of `metadata`, at most.
pub const METADATA_BYTES: usize = 16 * 1024;

/// Characters of `external_request_id`, at most.
const EXTERNAL_ID_CHARS: usize = 255;

/// Fields as they came; what was absent is none.
#[derive(Debug, Default)]
pub struct RawFields {
    /// The applicant's name.
    pub fio: Option<String>,
    /// Where the end is told.
    pub callback_url: Option<String>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// 12 digits.
    pub iin: Option<String>,
    /// `normal` or `high`.
    pub priority: Option<String>,
    /// As text or as JSON.
    pub metadata: Option<RawMetadata>,
}

/// `metadata` as it came.
#[derive(Debug)]
pub enum RawMetadata {
    /// A part of a form.
    Text(String),
    /// A member of a JSON body.
    Json(Value),
}

/// Fields that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// The applicant's name, trimmed.
    pub fio: String,
    /// Where the end is told.
    pub callback_url: Option<String>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// 12 digits.
    pub iin: Option<String>,
    /// How urgent.
    pub priority: Priority,
    /// A JSON object.
    pub metadata: Value,
}

impl RawFields {
    /// Judges the fields; `faults` are those found before.
    ///
    /// # Errors
    /// CALLBACK_URL_REFUSED where that is all that is wrong, else VALIDATION_FAILED with every fault.
    pub fn judge(
        self,
        allow_high: bool,
        allow_hosts: &[Allowed],
        mut faults: Vec<FieldError>,
    ) -> Result<Fields, Problem> {
        let before = faults.len();
        let mut fault = |field: &str, message: String| faults.push(FieldError::new(field, message));
        let fio = match self.fio.as_deref().map(validate_applicant) {
            Some(Ok(fio)) => fio,
            Some(Err(wrong)) => {
                fault("fio", wrong.to_string());
                String::new()
            }
            None => {
                fault("fio", "is required".into());
                String::new()
            }
        };
        if let Some(number) = &self.external_request_id
            && (!(1..=EXTERNAL_ID_CHARS).contains(&number.chars().count()) || number.chars().any(char::is_control))
        {
            fault(
                "external_request_id",
                format!("must have 1 to {EXTERNAL_ID_CHARS} characters, none of them a control character"),
            );
        }
        if let Some(iin) = &self.iin
            && (iin.len() != 12 || !iin.bytes().all(|b| b.is_ascii_digit()))
        {
            fault("iin", "must be 12 digits".into());
        }
        let priority = match self.priority.as_deref().unwrap_or("normal").parse() {
            Ok(Priority::High) if !allow_high => {
                fault("priority", "may not be high for this client".into());
                Priority::Normal
            }
            Ok(priority) => priority,
            Err(_) => {
                fault("priority", "must be normal or high".into());
                Priority::Normal
            }
        };
        let metadata = self.metadata.map_or_else(|| Ok(Value::Object(serde_json::Map::new())), RawMetadata::judge);
        let metadata = metadata.unwrap_or_else(|message| {
            fault("metadata", message);
            Value::Null
        });
        let refused = self.callback_url.as_deref().and_then(|url| check_url(url, allow_hosts).err());
        if let Some(refused) = refused {
            fault("callback_url", refused.to_string());
        }
        if faults.is_empty() {
            let Self { callback_url, external_request_id, iin, .. } = self;
            return Ok(Fields { fio, callback_url, external_request_id, iin, priority, metadata });
        }
        if refused.is_some() && before == 0 && faults.len() == 1 {
            let detail = faults.first().map(|fault| format!("The callback URL {}.", fault.message)).unwrap_or_default();
            return Err(Problem::new(Code::CallbackUrlRefused, detail).with_errors(faults));
        }
        Err(Problem::invalid(faults))
    }
}

impl RawMetadata {
    fn judge(self) -> Result<Value, String> {
        let too_large = || format!("must have {METADATA_BYTES} bytes at most");
        let value: Value = match self {
            Self::Text(text) if text.len() > METADATA_BYTES => return Err(too_large()),
            Self::Text(text) => serde_json::from_str(&text).map_err(|_| "must be a JSON object".to_owned())?,
            Self::Json(value) => value,
        };
        if !value.is_object() {
            return Err("must be a JSON object".into());
        }
        let text = value.to_string();
        if text.len() > METADATA_BYTES {
            return Err(too_large());
        }
        // PostgreSQL has no place for this character.
        if text.contains("\\u0000") && holds_nul(&value) {
            return Err("must not hold the character U+0000".into());
        }
        Ok(value)
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> RawFields {
        RawFields { fio: Some("  Иванов Иван ".into()), ..RawFields::default() }
    }

    fn faults(raw: RawFields) -> Vec<String> {
        let problem = raw.judge(false, &[], Vec::new()).expect_err("is refused");
        problem.errors.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_name_is_enough() {
        let fields = good().judge(false, &[], Vec::new()).expect("is good");
        assert_eq!(fields.fio, "Иванов Иван");
        assert_eq!(fields.priority, Priority::Normal);
        assert_eq!(fields.metadata, serde_json::json!({}));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let raw = RawFields {
            fio: Some("Иванов".into()),
            callback_url: Some("ftp://x".into()),
            external_request_id: Some(String::new()),
            iin: Some("123".into()),
            priority: Some("urgent".into()),
            metadata: Some(RawMetadata::Text("[]".into())),
        };
        let problem = raw.judge(false, &[], vec![FieldError::new("file", "is required")]).expect_err("is refused");
        assert_eq!(problem.code, Code::ValidationFailed);
        let fields: Vec<&str> = problem.errors.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["file", "fio", "external_request_id", "iin", "priority", "metadata", "callback_url"]);
    }

    #[test]
    fn a_callback_url_alone_has_its_own_code() {
        let raw = RawFields { callback_url: Some("http://127.0.0.1/x".into()), ..good() };
        assert_eq!(raw.judge(false, &[], Vec::new()).expect_err("is refused").code, Code::CallbackUrlRefused);
    }

    #[test]
    fn high_priority_is_for_clients_that_may_use_it() {
        let high = || RawFields { priority: Some("high".into()), ..good() };
        assert_eq!(faults(high()), ["priority"]);
        assert_eq!(high().judge(true, &[], Vec::new()).expect("is good").priority, Priority::High);
    }

    #[test]
    fn metadata_is_an_object_within_its_bound() {
        let with = |text: &str| RawFields { metadata: Some(RawMetadata::Text(text.into())), ..good() };
        assert!(with("{\"a\": [1, \"б\"]}").judge(false, &[], Vec::new()).is_ok());
        for text in [
            "",
            "null",
            "\"a\"",
            "{",
            &format!("{{\"a\": \"{}\"}}", "x".repeat(METADATA_BYTES)),
            "{\"a\": \"\\u0000\"}",
        ] {
            assert_eq!(faults(with(text)), ["metadata"]);
        }
    }
}
