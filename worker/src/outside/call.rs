//! One request and its answer, bounded in time and length, and one account of what went wrong.

use std::time::Duration;

use chrono::Utc;
use http::StatusCode;
use reqwest::{Client, RequestBuilder, Response, redirect};
use shared::retry::{Again, Retryable};
use shared::retry_after::retry_after;
use shared::telemetry::{self, Outcome};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::Trouble;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Of an answer that says no, so much is looked at.
const REFUSAL_BYTES: usize = 8 * 1024;

/// A client that keeps its connections. The settings name these services, so there is nothing to
/// follow a redirect to, and no proxy that they do not name.
///
/// # Errors
/// Where none can be made (no certificates on this machine).
pub fn client() -> Result<Client, reqwest::Error> {
    shared::tls::install();
    Client::builder()
        .user_agent(concat!("rb-ocr/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .tcp_nodelay(true)
        .pool_idle_timeout(Duration::from_secs(50))
        .build()
}

/// Why a call gave no answer that can be read. The texts hold nothing that was sent or answered.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Any status but 2xx.
    #[error("answered {status}")]
    Status {
        /// The status.
        status: StatusCode,
        /// What it asked for.
        retry_after: Option<Duration>,
        /// The beginning of its body; never logged.
        body: String,
    },
    /// Not within its time.
    #[error("did not answer in time")]
    TimedOut,
    /// No connection could be made.
    #[error("could not be reached")]
    Unreachable,
    /// The connection broke before the whole answer was there.
    #[error("broke off")]
    BrokeOff,
    /// The answer is longer than allowed.
    #[error("answered at too great a length")]
    TooLong,
    /// It was not called: its breaker is open for so long.
    #[error("fails and is left alone for now")]
    Away(Duration),
    /// It was not called: others took all its places for as long as we could wait.
    #[error("had no place for another call in time")]
    NoPlace,
}

impl CallError {
    /// As metrics count it; none where it was not called.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Status { status, .. } => Some(telemetry::outcome(*status)),
            Self::TimedOut => Some(Outcome::TimedOut),
            Self::Unreachable | Self::BrokeOff => Some(Outcome::Unreachable),
            Self::TooLong => Some(Outcome::Invalid),
            Self::Away(_) | Self::NoPlace => None,
        }
    }

    /// How far the service is to blame; none where it did its part, if only by saying no.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Status { status, retry_after, .. } => match status.as_u16() {
                429 => Some(Trouble { surely_the_service: true, retry_after: *retry_after }),
                500..=599 => Some(Trouble { surely_the_service: false, retry_after: *retry_after }),
                _ => None,
            },
            Self::Unreachable => Some(Trouble { surely_the_service: true, retry_after: None }),
            Self::TimedOut | Self::BrokeOff => Some(Trouble::default()),
            Self::TooLong | Self::Away(_) | Self::NoPlace => None,
        }
    }

    /// What its answer asked for.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl Retryable for CallError {
    fn again(&self) -> Again {
        match self {
            Self::Status { status, retry_after, .. } => match status.as_u16() {
                408 | 425 | 429 | 500..=599 => retry_after.map_or(Again::Helps, Again::After),
                _ => Again::Never,
            },
            Self::TimedOut | Self::Unreachable | Self::BrokeOff => Again::Helps,
            Self::TooLong | Self::Away(_) | Self::NoPlace => Again::Never,
        }
    }
}

impl From<reqwest::Error> for CallError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::BrokeOff
        }
    }
}

/// The span of a call to an outside service. Its address is not in it: a caller's holds what the caller likes.
pub fn span(service: &'static str) -> Span {
    tracing::error_span!(
        "call",
        otel.name = service,
        otel.kind = "client",
        otel.status_code = Empty,
        service,
        outcome = Empty,
        http.response.status_code = Empty,
    )
}

/// Notes in the span how its call ended.
pub fn record(span: &Span, outcome: Outcome, status: Option<StatusCode>) {
    span.record("outcome", outcome.as_str());
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if outcome != Outcome::Ok {
        span.record("otel.status_code", "ERROR");
    }
}

/// Sends a request to `service` in the current trace and reads its answer, `most` bytes at most, all within
/// `within`.
///
/// # Errors
/// [`CallError`].
pub async fn call(
    service: &'static str,
    request: RequestBuilder,
    within: Duration,
    most: usize,
) -> Result<Vec<u8>, CallError> {
    let span = span(service);
    let answer = exchange(request, within, most).instrument(span.clone()).await;
    match &answer {
        Ok(_) => record(&span, Outcome::Ok, None),
        Err(error) => {
            if let Some(outcome) = error.outcome() {
                record(&span, outcome, error.status());
            }
        }
    }
    answer
}

async fn exchange(request: RequestBuilder, within: Duration, most: usize) -> Result<Vec<u8>, CallError> {
    let (client, request) = request.timeout(within).build_split();
    let mut request = request?;
    telemetry::inject(request.headers_mut());
    let answer = client.execute(request).await?;
    let status = answer.status();
    if !status.is_success() {
        let retry_after = retry_after(answer.headers(), Utc::now());
        let (body, _) = read(answer, REFUSAL_BYTES).await.unwrap_or_default();
        return Err(CallError::Status { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() });
    }
    match read(answer, most).await? {
        (body, true) => Ok(body),
        (_, false) => Err(CallError::TooLong),
    }
}

/// The body, and whether that is all of it.
async fn read(mut answer: Response, most: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let expected = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(expected.min(most));
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok((body, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, true))
}
