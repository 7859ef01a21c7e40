//! Sends one event once and says what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::redirect;
use shared::callback_target::{TargetRefused, check_url};
use shared::retry_after::retry_after;
use shared::secrets::SecretError;
use shared::settings::{self, Allowed, Secret};
use shared::telemetry::{self, Metrics, Outcome, OutsideCall};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use url::Url;
use uuid::Uuid;

use super::hosts::Hosts;
use super::resolver::GuardedResolver;
use super::signature;
use crate::outside::{self, Trouble};

/// A 2xx must come within this (contract, section 3).
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// An answer's body is read so far, so that the connection can be used again, and thrown away.
const BODY_BYTES: usize = 16 * 1024;
const BODY_WITHIN: Duration = Duration::from_secs(1);

/// One event on its way to one endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Whose event it is.
    pub run_id: Uuid,
    /// Where to.
    pub url: &'a str,
    /// The same on every try.
    pub webhook_id: &'a str,
    /// The same on every try.
    pub body: &'a str,
    /// The client's live secrets, decrypted: each signs.
    pub secrets: &'a [Secret],
    /// `user:password` of the plain form, decrypted.
    pub basic: Option<&'a Secret>,
}

/// What a try came to: the words of `callback_attempts.outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// A 2xx.
    Delivered,
    /// Any other answer, redirects too.
    Rejected,
    /// 410: never try again.
    Gone,
    /// No answer within 15 s.
    TimedOut,
    /// No connection, or one that broke.
    Unreachable,
    /// It leads where callbacks may not go; nothing was sent.
    TargetRefused,
}

impl AttemptOutcome {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::Gone => "gone",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::TargetRefused => "target_refused",
        }
    }
}

/// One try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What it came to.
    pub outcome: AttemptOutcome,
    /// Of the answer, where one came.
    pub status_code: Option<u16>,
    /// From the first byte sent to the answer's head.
    pub duration: Duration,
    /// What the answer asked for; [`super::next_pause`] bounds it.
    pub retry_after: Option<Duration>,
}

/// Nothing was sent, and it does not count as a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The host has as many deliveries as it may have at once: give the job back.
    #[error("too many deliveries to this host at once")]
    HostBusy,
    /// The host fails and is left alone: give the job back.
    #[error("the host fails and is left alone for now")]
    HostAway {
        /// For so long.
        wait: Duration,
        /// Nothing has been delivered to it for so long.
        failing_for: Duration,
    },
    /// It cannot be signed; it goes on failing until an operator mends the client's secrets.
    #[error("the callback cannot be signed: {0}")]
    Unsigned(#[from] SecretError),
}

impl NotSent {
    pub(super) fn away(wait: Duration, failing_for: Option<Duration>) -> Self {
        Self::HostAway { wait, failing_for: failing_for.unwrap_or_default() }
    }
}

/// Delivers callbacks: `CALLBACK_CONCURRENCY` at once, four to a host.
#[derive(Debug)]
pub struct Sender {
    client: reqwest::Client,
    allowed: Arc<[Allowed]>,
    slots: Arc<Semaphore>,
    concurrency: usize,
    hosts: Hosts,
    answer_within: Duration,
    metrics: Metrics,
}

impl Sender {
    /// As the settings say.
    ///
    /// # Errors
    /// Where no HTTP client can be made (no certificates on this machine).
    pub fn new(settings: &settings::Callbacks, metrics: Metrics) -> Result<Self, reqwest::Error> {
        shared::tls::install();
        let allowed: Arc<[Allowed]> = settings.allow_hosts.clone().into();
        let client = reqwest::Client::builder()
            .user_agent(concat!("rb-ocr/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            // A proxy would dial in our place, past the resolver below.
            .no_proxy()
            .dns_resolver(GuardedResolver { allowed: Arc::clone(&allowed) })
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(settings::Callbacks::PER_HOST)
            .build()?;
        let slots = Arc::new(Semaphore::new(settings.concurrency));
        Ok(Self {
            client,
            allowed,
            slots,
            concurrency: settings.concurrency,
            hosts: Hosts::new(settings.concurrency, metrics.clone()),
            answer_within: ANSWER_WITHIN,
            metrics,
        })
    }

    /// Deliveries in progress.
    pub fn busy(&self) -> usize {
        self.concurrency.saturating_sub(self.slots.available_permits())
    }

    /// Hosts that are left alone now, and all that are remembered.
    pub fn hosts(&self) -> (usize, usize) {
        self.hosts.count()
    }

    /// Waits so long for an answer instead of the contract's 15 s.
    #[must_use]
    pub fn answer_within(self, answer_within: Duration) -> Self {
        Self { answer_within, ..self }
    }

    /// One try. `now` stands in the signature and is what `Retry-After` dates are compared with.
    ///
    /// # Errors
    /// [`NotSent`]; whatever else goes wrong is an [`Attempt`].
    pub async fn send(&self, delivery: Delivery<'_>, now: DateTime<Utc>) -> Result<Attempt, NotSent> {
        let headers = headers(delivery, now)?;
        let attempt = match check_url(delivery.url, &self.allowed) {
            Ok(url) => {
                // The host's slot first: waiting for a slow host takes no slot from the others.
                let place = self.hosts.enter(host_of(&url), delivery.run_id).await?;
                let _slot = self.slots.acquire().await.map_err(|_| NotSent::HostBusy)?;
                let attempt = self.post(url, headers, delivery.body, now).await;
                place.told(trouble(&attempt));
                attempt
            }
            Err(_) => Attempt {
                outcome: AttemptOutcome::TargetRefused,
                status_code: None,
                duration: Duration::ZERO,
                retry_after: None,
            },
        };
        self.metrics.callback_attempt(attempt.outcome.as_str());
        Ok(attempt)
    }

    async fn post(&self, url: Url, mut headers: HeaderMap, body: &str, now: DateTime<Utc>) -> Attempt {
        let start = Instant::now();
        let span = outside::span("callback");
        let answer = async {
            telemetry::inject(&mut headers);
            self.client.post(url).timeout(self.answer_within).headers(headers).body(body.to_owned()).send().await
        };
        let answer = answer.instrument(span.clone()).await;
        let duration = start.elapsed();
        let (outcome, status_code, retry_after) = match answer {
            Ok(answer) => {
                let (status, asked) = (answer.status(), retry_after(answer.headers(), now));
                throw_away(answer).await;
                (outcome_of(status), Some(status), asked)
            }
            Err(error) => (outcome_of_error(&error), None, None),
        };
        let called = match (outcome, status_code) {
            (AttemptOutcome::TargetRefused, _) => None,
            (_, Some(status)) => Some(telemetry::outcome(status)),
            (AttemptOutcome::TimedOut, None) => Some(Outcome::TimedOut),
            (_, None) => Some(Outcome::Unreachable),
        };
        if let Some(outcome) = called {
            outside::record(&span, outcome, status_code);
            self.metrics.outside_call(OutsideCall { service: "callback", outcome, duration });
        }
        Attempt { outcome, status_code: status_code.map(|status| status.as_u16()), duration, retry_after }
    }
}

fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

/// How far the host is to blame; none where it answered about this event, or was never asked.
fn trouble(attempt: &Attempt) -> Option<Trouble> {
    let retry_after = attempt.retry_after;
    match (attempt.outcome, attempt.status_code) {
        (AttemptOutcome::Rejected, Some(429)) => Some(Trouble { surely_the_service: true, retry_after }),
        (AttemptOutcome::Rejected, Some(500..=599)) => Some(Trouble { surely_the_service: false, retry_after }),
        (AttemptOutcome::TimedOut | AttemptOutcome::Unreachable, _) => Some(Trouble::default()),
        _ => None,
    }
}

fn headers(delivery: Delivery<'_>, now: DateTime<Utc>) -> Result<HeaderMap, SecretError> {
    let text = |value: &str| HeaderValue::from_str(value).map_err(|_| SecretError::NotASigningSecret);
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("webhook-id", text(delivery.webhook_id)?);
    headers.insert("webhook-timestamp", now.timestamp().into());
    if !delivery.secrets.is_empty() {
        let signature = signature(delivery.webhook_id, now.timestamp(), delivery.body, delivery.secrets)?;
        headers.insert("webhook-signature", text(&signature)?);
    }
    if let Some(basic) = delivery.basic {
        let mut value = text(&format!("Basic {}", STANDARD.encode(basic.expose())))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

fn outcome_of(status: StatusCode) -> AttemptOutcome {
    match status {
        StatusCode::GONE => AttemptOutcome::Gone,
        status if status.is_success() => AttemptOutcome::Delivered,
        _ => AttemptOutcome::Rejected,
    }
}

fn outcome_of_error(error: &reqwest::Error) -> AttemptOutcome {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<TargetRefused>() {
            return AttemptOutcome::TargetRefused;
        }
        cause = this.source();
    }
    if error.is_timeout() { AttemptOutcome::TimedOut } else { AttemptOutcome::Unreachable }
}

async fn throw_away(mut answer: reqwest::Response) {
    let read = async {
        let mut left = BODY_BYTES;
        while let Ok(Some(chunk)) = answer.chunk().await {
            left = match left.checked_sub(chunk.len()) {
                Some(left) => left,
                None => break,
            };
        }
    };
    // The answer counts whatever becomes of its body.
    let _ = tokio::time::timeout(BODY_WITHIN, read).await;
}
