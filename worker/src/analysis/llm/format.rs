//! How the model is made to answer in JSON: servers differ in which `response_format` they know, and
//! refuse the others with a 4xx or a 5xx.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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

/// What a refusal says that is about the format.
const NAMES: [&str; 4] = ["response_format", "json_schema", "json_object", "grammar"];

/// For so long a format is not tried again whose refusal named no reason: it may have been a failure that
/// has passed.
const DOUBT: Duration = Duration::from_secs(600);

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

/// Which format is used now. `auto` tries them in order and remembers which are refused. A refusal counts as one
/// only when the same request was served in another format: a service that fails, fails in every format.
#[derive(Debug)]
pub(super) enum Formats {
    Fixed(Format),
    Auto(Mutex<[Known; ORDER.len()]>),
}

/// What is known of a format.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    has_served: bool,
    refused: Option<Refused>,
}

#[derive(Clone, Copy, Debug)]
enum Refused {
    /// It said that it was the format.
    ForGood,
    /// It gave no such reason.
    Until(Instant),
}

impl Known {
    fn is_refused(self, now: Instant) -> bool {
        match self.refused {
            None => false,
            Some(Refused::ForGood) => true,
            Some(Refused::Until(until)) => now < until,
        }
    }
}

impl Formats {
    pub(super) fn new(setting: ResponseFormat) -> Self {
        match setting {
            ResponseFormat::JsonSchema => Self::Fixed(Format::JsonSchema),
            ResponseFormat::JsonObject => Self::Fixed(Format::JsonObject),
            ResponseFormat::None => Self::Fixed(Format::None),
            ResponseFormat::Auto => Self::Auto(Mutex::default()),
        }
    }

    /// A request that is about to be made.
    pub(super) fn asking(&self, now: Instant) -> Asking<'_> {
        let at = match self {
            Self::Fixed(format) => ORDER.iter().position(|other| other == format).unwrap_or_default(),
            Self::Auto(known) => lock(known).iter().position(|known| !known.is_refused(now)).unwrap_or(LAST),
        };
        Asking { formats: self, at, passed: [None; ORDER.len()] }
    }
}

const LAST: usize = ORDER.len() - 1;

/// One request, in one format after the other until one serves.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    formats: &'a Formats,
    at: usize,
    /// The formats that were refused; whether the refusal was about them.
    passed: [Option<bool>; ORDER.len()],
}

impl Asking<'_> {
    /// The one to use.
    pub(super) const fn format(&self) -> Format {
        ORDER[self.at]
    }

    /// Whether the service said no to this format and would take another: no failure of it.
    pub(super) fn is_told_no(&self, error: &CallError) -> bool {
        matches!(self.formats, Formats::Auto(_)) && self.at < LAST && refusal(error) == Some(true)
    }

    /// Goes on to the next format, if this failure may be about the format. Of one that has served before only a
    /// refusal that says so.
    pub(super) fn refused(&mut self, error: &CallError) -> bool {
        let Formats::Auto(known) = self.formats else { return false };
        let Some(is_named) = refusal(error) else { return false };
        if self.at == LAST || !is_named && lock(known)[self.at].has_served {
            return false;
        }
        self.passed[self.at] = Some(is_named);
        self.at += 1;
        true
    }

    /// An answer came: what was refused before is known to be.
    pub(super) fn served(&self, now: Instant) {
        let Formats::Auto(known) = self.formats else { return };
        let mut known = lock(known);
        for (known, passed) in known.iter_mut().zip(self.passed) {
            match passed {
                Some(true) => *known = Known { has_served: false, refused: Some(Refused::ForGood) },
                // It has served another call meanwhile.
                Some(false) if known.has_served => {}
                Some(false) => known.refused = Some(Refused::Until(now + DOUBT)),
                None => {}
            }
        }
        known[self.at] = Known { has_served: true, refused: None };
    }
}

fn lock(known: &Mutex<[Known; ORDER.len()]>) -> MutexGuard<'_, [Known; ORDER.len()]> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a failure may be a refusal of the format, and if so, whether it says that it is one.
fn refusal(error: &CallError) -> Option<bool> {
    let CallError::Status { status, body, .. } = error else { return None };
    matches!(status.as_u16(), 400 | 404 | 415 | 422 | 500 | 501).then(|| NAMES.iter().any(|name| body.contains(name)))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const NAMED: &str = "response_format of type json_schema is not supported";

    fn refusal(status: u16, body: &str) -> CallError {
        let status = StatusCode::from_u16(status).expect("a status");
        CallError::Status { status, retry_after: None, body: body.to_owned() }
    }

    /// Asks once; these refusals come before an answer.
    fn served_after(formats: &Formats, refusals: &[CallError], now: Instant) -> Format {
        let mut asking = formats.asking(now);
        for error in refusals {
            assert!(asking.refused(error), "{error:?} in {:?}", asking.format());
        }
        asking.served(now);
        asking.format()
    }

    #[test]
    fn auto_tries_the_formats_in_order_and_remembers_the_one_that_serves() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        assert_eq!(formats.asking(now).format(), Format::JsonSchema);
        assert_eq!(served_after(&formats, &[refusal(500, NAMED), refusal(400, NAMED)], now), Format::None);
        assert_eq!(formats.asking(now + 100 * DOUBT).format(), Format::None);
    }

    #[test]
    fn a_refusal_without_a_reason_is_believed_for_a_while_only() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        assert_eq!(served_after(&formats, &[refusal(500, "")], now), Format::JsonObject);
        assert_eq!(formats.asking(now + DOUBT / 2).format(), Format::JsonObject);
        assert_eq!(formats.asking(now + DOUBT).format(), Format::JsonSchema);
    }

    #[test]
    fn a_service_that_fails_in_every_format_has_refused_none() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        for body in ["", NAMED] {
            let mut asking = formats.asking(now);
            assert!(asking.refused(&refusal(500, body)) && asking.refused(&refusal(500, body)));
            assert!(!asking.refused(&refusal(500, body)), "there is no fourth");
            assert_eq!(formats.asking(now).format(), Format::JsonSchema);
        }
    }

    #[test]
    fn a_format_that_has_served_is_left_only_for_a_refusal_that_names_it() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        formats.asking(now).served(now);
        assert!(!formats.asking(now).refused(&refusal(500, "out of memory")));
        assert_eq!(served_after(&formats, &[refusal(400, NAMED)], now), Format::JsonObject);
        assert_eq!(formats.asking(now).format(), Format::JsonObject);
    }

    #[test]
    fn a_failure_of_one_call_does_not_undo_that_another_was_served_meanwhile() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        let mut slow = formats.asking(now);
        assert!(slow.refused(&refusal(500, "")));
        formats.asking(now).served(now);
        slow.served(now);
        assert_eq!(formats.asking(now).format(), Format::JsonSchema);
    }

    #[test]
    fn what_is_plainly_about_something_else_changes_no_format() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        for status in [401, 403, 429, 502, 503, 504] {
            assert!(!formats.asking(now).refused(&refusal(status, NAMED)), "{status}");
        }
        assert!(!formats.asking(now).refused(&CallError::TimedOut));
    }

    #[test]
    fn only_a_refusal_that_names_a_format_is_no_failure_of_the_service() {
        let (formats, now) = (Formats::new(ResponseFormat::Auto), Instant::now());
        let mut asking = formats.asking(now);
        assert!(asking.is_told_no(&refusal(500, NAMED)) && !asking.is_told_no(&refusal(500, "")));
        assert!(!asking.is_told_no(&refusal(503, NAMED)));
        assert!(asking.refused(&refusal(500, NAMED)) && asking.refused(&refusal(500, NAMED)));
        assert!(!asking.is_told_no(&refusal(500, NAMED)), "without a format it is about something else");
        let fixed = Formats::new(ResponseFormat::JsonSchema);
        assert!(!fixed.asking(now).is_told_no(&refusal(500, NAMED)), "there is no other to try");
    }

    #[test]
    fn a_set_format_is_never_changed() {
        let (formats, now) = (Formats::new(ResponseFormat::JsonObject), Instant::now());
        assert!(!formats.asking(now).refused(&refusal(400, NAMED)));
        formats.asking(now).served(now);
        assert_eq!(formats.asking(now).format(), Format::JsonObject);
    }
}
