//! The old error codes, and what they become.

use serde_json::Value;

use crate::domain::ErrorCode;

/// An old code as it is written: a name, or an integer.
#[must_use]
pub fn is_code(value: &Value) -> bool {
    match value {
        Value::String(name) => (1..=100).contains(&name.len()) && !name.contains('\0'),
        Value::Number(number) => number.is_i64(),
        _ => false,
    }
}

/// The code that an old one becomes; none for those without an heir, and for those that nobody knows.
#[must_use]
pub fn becomes(value: &Value) -> Option<ErrorCode> {
    match value {
        Value::String(name) => by_name(name.trim()).or_else(|| by_number(name.trim().parse().ok()?)),
        Value::Number(number) => by_number(number.as_i64()?),
        _ => None,
    }
}

fn by_name(name: &str) -> Option<ErrorCode> {
    if let Ok(code) = name.parse() {
        return Some(code);
    }
    match name {
        "OCR_FILTER_FAILED" => Some(ErrorCode::OcrFailed),
        "DTC_FAILED" | "EXTRACT_FAILED" => Some(ErrorCode::LlmFailed),
        "DTC_PARSE_ERROR" | "LLM_FILTER_PARSE_ERROR" | "GPT_FILTER_PARSE_ERROR" | "EXTRACT_SCHEMA_INVALID" => {
            Some(ErrorCode::LlmInvalidResponse)
        }
        "MERGE_FAILED" | "VALIDATION_FAILED" => Some(ErrorCode::UnknownError),
        "SINGLE_DOC_TYPE_INVALID" => Some(ErrorCode::MultipleDocuments),
        "DOC_TYPE_MISSING" => Some(ErrorCode::DocTypeUnknown),
        // DOC_TYPE_MISMATCH, STAMP_NOT_PRESENT and STAMP_CHECK_MISSING were of checks that are not made any more.
        _ => None,
    }
}

fn by_number(number: i64) -> Option<ErrorCode> {
    if let Some(code) = ErrorCode::ALL.iter().find(|code| i64::from(code.int_code()) == number) {
        return Some(*code);
    }
    match number {
        21 => Some(ErrorCode::OcrFailed),
        25 => Some(ErrorCode::LlmFailed),
        24 | 27 => Some(ErrorCode::LlmInvalidResponse),
        28 | 29 => Some(ErrorCode::UnknownError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_code_of_today_keeps_its_name_and_its_integer() {
        for code in ErrorCode::ALL {
            assert_eq!(becomes(&json!(code.as_str())), Some(*code));
            assert_eq!(becomes(&json!(code.int_code())), Some(*code));
        }
    }

    #[test]
    fn every_older_code_becomes_what_the_table_says() {
        use ErrorCode::{DocTypeUnknown, LlmFailed, LlmInvalidResponse, MultipleDocuments, OcrFailed, UnknownError};
        for (old, number, new) in [
            ("OCR_FILTER_FAILED", Some(21), Some(OcrFailed)),
            ("DTC_FAILED", Some(23), Some(LlmFailed)),
            ("EXTRACT_FAILED", Some(25), Some(LlmFailed)),
            ("DTC_PARSE_ERROR", Some(24), Some(LlmInvalidResponse)),
            ("LLM_FILTER_PARSE_ERROR", Some(26), Some(LlmInvalidResponse)),
            ("GPT_FILTER_PARSE_ERROR", None, Some(LlmInvalidResponse)),
            ("EXTRACT_SCHEMA_INVALID", Some(27), Some(LlmInvalidResponse)),
            ("MERGE_FAILED", Some(28), Some(UnknownError)),
            ("VALIDATION_FAILED", Some(29), Some(UnknownError)),
            ("SINGLE_DOC_TYPE_INVALID", None, Some(MultipleDocuments)),
            ("DOC_TYPE_MISSING", None, Some(DocTypeUnknown)),
            ("DOC_TYPE_MISMATCH", None, None),
            ("STAMP_NOT_PRESENT", None, None),
            ("STAMP_CHECK_MISSING", None, None),
        ] {
            assert_eq!(becomes(&json!(old)), new, "{old}");
            if let Some(number) = number {
                assert_eq!(becomes(&json!(number)), new, "{number}");
            }
        }
    }

    #[test]
    fn what_is_no_code_is_not_taken_for_one() {
        for value in [json!(null), json!(4.5), json!([4]), json!({"code": 4}), json!(true), json!(""), json!("a\0b")] {
            assert!(!is_code(&value), "{value}");
            assert_eq!(becomes(&value), None);
        }
        assert!(is_code(&json!("SOMETHING_ELSE")) && becomes(&json!("SOMETHING_ELSE")).is_none());
    }
}
