//! How the model is made to answer in JSON: servers differ in which `response_format` they know, and
//! refuse the others with a 4xx or a 5xx.

use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use shared::settings::ResponseFormat;

use super::super::CallType;
use super::prompt;
use crate::outside::CallError;

/// One way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    JsonSchema,
    JsonObject,
    None,
}

const ORDER: [Format; 3] = [Format::JsonSchema, Format::JsonObject, Format::None];
const NOT_KNOWN: u8 = u8::MAX;

impl Format {
    /// The member `response_format`.
    pub(super) fn member(self, call: CallType) -> Option<Value> {
        let schema = || prompt::schema(call);
        match self {
            Self::JsonSchema => Some(json!({
                "type": "json_schema",
                "json_schema": {"name": call.as_str(), "strict": true, "schema": schema()},
            })),
            Self::JsonObject => Some(json!({"type": "json_object", "schema": schema()})),
            Self::None => None,
        }
    }
}

/// Which format is used now. `auto` tries them in order and remembers the one that served.
#[derive(Debug)]
pub(super) enum Formats {
    Fixed(Format),
    Auto {
        /// Index of the one to try.
        at: AtomicU8,
        /// Index of the one that has served.
        served: AtomicU8,
    },
}

impl Formats {
    pub(super) fn new(setting: ResponseFormat) -> Self {
        match setting {
            ResponseFormat::JsonSchema => Self::Fixed(Format::JsonSchema),
            ResponseFormat::JsonObject => Self::Fixed(Format::JsonObject),
            ResponseFormat::None => Self::Fixed(Format::None),
            ResponseFormat::Auto => Self::Auto { at: AtomicU8::new(0), served: AtomicU8::new(NOT_KNOWN) },
        }
    }

    /// The one to use.
    pub(super) fn current(&self) -> Format {
        match self {
            Self::Fixed(format) => *format,
            Self::Auto { at, .. } => {
                ORDER.get(usize::from(at.load(Ordering::Relaxed))).copied().unwrap_or(Format::None)
            }
        }
    }

    /// An answer came with this one.
    pub(super) fn served(&self, format: Format) {
        if let Self::Auto { at, served } = self {
            at.store(index(format), Ordering::Relaxed);
            served.store(index(format), Ordering::Relaxed);
        }
    }

    /// The one to try instead, if this failure is about the format.
    pub(super) fn instead_of(&self, format: Format, error: &CallError) -> Option<Format> {
        let Self::Auto { at, served } = self else { return None };
        let known = served.load(Ordering::Relaxed);
        if !concerns_format(error, known == index(format)) {
            return None;
        }
        let next = index(format) + 1;
        if usize::from(next) == ORDER.len() {
            // None of them: it was about something else after all, so the next call begins anew.
            at.store(if known == NOT_KNOWN { 0 } else { known }, Ordering::Relaxed);
            return None;
        }
        let _ = at.compare_exchange(index(format), next, Ordering::Relaxed, Ordering::Relaxed);
        Some(self.current())
    }
}

fn index(format: Format) -> u8 {
    match format {
        Format::JsonSchema => 0,
        Format::JsonObject => 1,
        Format::None => 2,
    }
}

/// Whether a refusal may be about the format. Of one that has served before only a refusal that says
/// so; otherwise any that is not plainly about something else.
fn concerns_format(error: &CallError, has_served: bool) -> bool {
    let CallError::Status { status, body, .. } = error else { return false };
    match status.as_u16() {
        400 | 404 | 415 | 422 | 500 | 501 => {
            !has_served || ["response_format", "json_schema", "json_object", "grammar"].iter().any(|w| body.contains(w))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn refusal(status: u16, body: &str) -> CallError {
        let status = StatusCode::from_u16(status).expect("a status");
        CallError::Status { status, retry_after: None, body: body.to_owned() }
    }

    #[test]
    fn auto_tries_the_formats_in_order_and_remembers_the_one_that_serves() {
        let formats = Formats::new(ResponseFormat::Auto);
        assert_eq!(formats.current(), Format::JsonSchema);
        assert_eq!(formats.instead_of(Format::JsonSchema, &refusal(500, "")), Some(Format::JsonObject));
        assert_eq!(formats.instead_of(Format::JsonObject, &refusal(400, "")), Some(Format::None));
        formats.served(Format::None);
        assert_eq!(formats.current(), Format::None);
    }

    #[test]
    fn a_format_that_has_served_is_left_only_for_a_refusal_that_names_it() {
        let formats = Formats::new(ResponseFormat::Auto);
        formats.served(Format::JsonSchema);
        assert_eq!(formats.instead_of(Format::JsonSchema, &refusal(500, "out of memory")), None);
        assert_eq!(formats.current(), Format::JsonSchema);
        let named = refusal(400, "response_format of type json_schema is not supported");
        assert_eq!(formats.instead_of(Format::JsonSchema, &named), Some(Format::JsonObject));
    }

    #[test]
    fn what_is_plainly_about_something_else_changes_no_format() {
        let formats = Formats::new(ResponseFormat::Auto);
        for status in [401, 403, 429, 502, 503, 504] {
            assert_eq!(formats.instead_of(Format::JsonSchema, &refusal(status, "")), None, "{status}");
        }
        assert_eq!(formats.instead_of(Format::JsonSchema, &CallError::TimedOut), None);
    }

    #[test]
    fn when_none_serves_the_next_call_begins_anew() {
        let formats = Formats::new(ResponseFormat::Auto);
        for format in ORDER {
            formats.instead_of(format, &refusal(500, ""));
        }
        assert_eq!(formats.current(), Format::JsonSchema);
    }

    #[test]
    fn a_set_format_is_never_changed() {
        let formats = Formats::new(ResponseFormat::JsonObject);
        assert_eq!(formats.instead_of(Format::JsonObject, &refusal(400, "response_format")), None);
        formats.served(Format::JsonObject);
        assert_eq!(formats.current(), Format::JsonObject);
    }
}
