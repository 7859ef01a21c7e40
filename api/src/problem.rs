//! What goes wrong, as callers see it: RFC 9457 `application/problem+json` with a stable `code`, a safe
//! `detail` and the request's `trace_id`. The cause goes to the log, never to the caller.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use shared::documents::DocumentsError;
use shared::store::StoreError;
use utoipa::ToSchema;

use crate::request::current_trace_id;

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident;)*) => {
        /// Every code of a problem (contract, section 2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $name] $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name callers see.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    MalformedRequest "MALFORMED_REQUEST" BAD_REQUEST;
    InvalidCursor "INVALID_CURSOR" BAD_REQUEST;
    BudgetSpent "BUDGET_SPENT" PAYMENT_REQUIRED;
    Unauthenticated "UNAUTHENTICATED" UNAUTHORIZED;
    Forbidden "FORBIDDEN" FORBIDDEN;
    NotFound "NOT_FOUND" NOT_FOUND;
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED;
    IdempotencyInProgress "IDEMPOTENCY_IN_PROGRESS" CONFLICT;
    RunFinished "RUN_FINISHED" CONFLICT;
    RunNotFinished "RUN_NOT_FINISHED" CONFLICT;
    RunNotRetryable "RUN_NOT_RETRYABLE" CONFLICT;
    RunExpired "RUN_EXPIRED" GONE;
    RunErased "RUN_ERASED" GONE;
    DocumentExpired "DOCUMENT_EXPIRED" GONE;
    FileTooLarge "FILE_TOO_LARGE" PAYLOAD_TOO_LARGE;
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE;
    ValidationFailed "VALIDATION_FAILED" UNPROCESSABLE_ENTITY;
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY;
    CallbackUrlRefused "CALLBACK_URL_REFUSED" UNPROCESSABLE_ENTITY;
    RateLimited "RATE_LIMITED" TOO_MANY_REQUESTS;
    InternalError "INTERNAL_ERROR" INTERNAL_SERVER_ERROR;
    BacklogFull "BACKLOG_FULL" SERVICE_UNAVAILABLE;
    StoreUnavailable "STORE_UNAVAILABLE" SERVICE_UNAVAILABLE;
    DatabaseUnavailable "DATABASE_UNAVAILABLE" SERVICE_UNAVAILABLE;
}

/// The media type of a problem (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";

/// When a caller is asked to come back after something of ours was away.
const COME_BACK: Duration = Duration::from_secs(5);

/// One field that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its name, as it was sent.
    pub field: String,
    /// What is wrong with it, worded to follow the name.
    pub message: String,
}

impl FieldError {
    /// A fault of this field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The body of a problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `about:blank`: the code says more.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// Stable name.
    #[schema(example = "VALIDATION_FAILED")]
    code: &'static str,
    /// What happened, for developers.
    detail: Cow<'static, str>,
    /// W3C trace id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Every field that cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// Something went wrong.
#[derive(Debug)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What happened, safe for the caller.
    pub detail: Cow<'static, str>,
    /// Fields that cannot be used.
    pub errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut headers = Vec::new();
        if code == Code::Unauthenticated {
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rb-ocr\"")));
        }
        let problem = Self { code, detail: detail.into(), errors: Vec::new(), headers };
        if code.status() == StatusCode::SERVICE_UNAVAILABLE { problem.retry_after(COME_BACK) } else { problem }
    }

    /// No such thing, or none that this caller may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here.")
    }

    /// The request cannot be read.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::MalformedRequest, detail)
    }

    /// These fields cannot be used.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed, "Some fields cannot be used; `errors` names them.") }
    }

    /// Names the fields that cannot be used.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.headers.retain(|(name, _)| *name != RETRY_AFTER);
        self.headers.push((RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1))));
        self
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.retryable() {
            tracing::warn!(%error, "the database is unavailable");
            Self::new(Code::DatabaseUnavailable, "The database is unavailable; nothing was changed.")
        } else {
            tracing::error!(%error, "a statement failed");
            Self::new(Code::InternalError, "Something of ours failed.")
        }
    }
}

impl From<DocumentsError> for Problem {
    fn from(error: DocumentsError) -> Self {
        tracing::warn!(%error, "the document store failed");
        Self::new(Code::StoreUnavailable, "The document store is unavailable.")
    }
}

impl Problem {
    /// Its body, where it cannot be answered as a [`Response`].
    pub(crate) fn into_json(self, trace_id: Option<String>) -> Vec<u8> {
        let status = self.code.status();
        let body = ProblemBody {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail,
            trace_id,
            errors: self.errors,
        };
        serde_json::to_vec(&body).expect("a problem is JSON")
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let (status, own) = (self.code.status(), std::mem::take(&mut self.headers));
        let mut response = (status, self.into_json(current_trace_id())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.extend(own);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract_with_their_statuses() {
        let contract = "400 MALFORMED_REQUEST, 400 INVALID_CURSOR, 401 UNAUTHENTICATED, 403 FORBIDDEN, 404 NOT_FOUND, \
            405 METHOD_NOT_ALLOWED, 409 IDEMPOTENCY_IN_PROGRESS, 409 RUN_FINISHED, 409 RUN_NOT_FINISHED, \
            409 RUN_NOT_RETRYABLE, 410 RUN_EXPIRED, 410 RUN_ERASED, 410 DOCUMENT_EXPIRED, 413 FILE_TOO_LARGE, \
            415 UNSUPPORTED_MEDIA_TYPE, 422 VALIDATION_FAILED, 422 IDEMPOTENCY_KEY_REUSED, 422 CALLBACK_URL_REFUSED, \
            429 RATE_LIMITED, 500 INTERNAL_ERROR, 503 BACKLOG_FULL, 503 STORE_UNAVAILABLE, 503 DATABASE_UNAVAILABLE";
        // Beside it only what a client asks for by a setting of its own.
        let asked_for = [Code::BudgetSpent];
        let codes = Code::ALL.iter().filter(|code| !asked_for.contains(code));
        let ours: Vec<String> = codes.map(|code| format!("{} {}", code.status().as_u16(), code.as_str())).collect();
        assert_eq!(ours.join(", "), contract);
        assert_eq!(Code::BudgetSpent.status(), StatusCode::PAYMENT_REQUIRED);
    }

    #[test]
    fn a_refusal_for_want_of_a_key_says_how_to_authenticate() {
        let response = Problem::new(Code::Unauthenticated, "no key").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer realm=\"rb-ocr\"");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn a_later_word_on_when_to_come_back_replaces_the_first() {
        let response = Problem::new(Code::BacklogFull, "full").retry_after(Duration::from_secs(30)).into_response();
        assert_eq!(response.headers().get_all(RETRY_AFTER).iter().collect::<Vec<_>>(), ["30"]);
    }

    #[test]
    fn what_is_away_says_when_to_come_back() {
        let response = Problem::new(Code::DatabaseUnavailable, "away").into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "5");
    }
}
