//! Analysis by a model behind OpenAI's API (contract, section 4). The model is never trusted: its
//! answer must fit a schema, and every value must be borne out by the text.

mod answer;
mod client;
mod completion;
mod format;
mod prompt;
mod unusable;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use shared::domain::{Classification, ErrorCode, Extraction, Page};
use shared::settings;
use shared::telemetry::Metrics;

use self::client::{Ask, ChatClient};
use self::unusable::Unusable;
use crate::outside::{CallError, Service};

use super::{Analysed, AnalysisError, AnalysisInput, Analyzer, CallType, LlmCall};

/// An answer that cannot be used is asked for once more, with the reason.
const ROUNDS: usize = 2;

/// All requests of one call: a run's lease is renewed meanwhile, its work budget is longer.
const WHOLE: Duration = Duration::from_secs(240);

/// The analyser.
#[derive(Debug)]
pub struct LlmAnalyzer {
    client: ChatClient,
}

impl LlmAnalyzer {
    /// As the settings say; `LLM_BASE_URL` and `LLM_MODEL` are set, which reading them has checked.
    ///
    /// # Errors
    /// [`LlmSetupError`].
    pub fn new(settings: &settings::Llm, metrics: Metrics) -> Result<Self, LlmSetupError> {
        Ok(Self { client: ChatClient::new(settings, metrics)? })
    }

    /// With so many calls in flight at most.
    #[must_use]
    pub fn calls_at_once(self, calls: usize) -> Self {
        Self { client: self.client.calls_at_once(calls) }
    }

    async fn ask<T>(
        &self,
        call_type: CallType,
        pages: &[Page],
        check: impl Fn(&str, &[Page]) -> Result<T, Unusable> + Send + Sync,
    ) -> Analysed<T> {
        let calls = Mutex::new(Vec::with_capacity(1));
        let failed = |code, detail: String, calls: Mutex<Vec<LlmCall>>| AnalysisError {
            code,
            detail: format!("{}: {detail}", call_type.as_str()),
            calls: calls.into_inner().unwrap_or_else(PoisonError::into_inner),
            retry_after: None,
            away: None,
        };
        let document: Arc<str> = prompt::document(pages, rand::random()).into();
        let deadline = Instant::now() + WHOLE;
        let mut reason = None;
        for _ in 0..ROUNDS {
            let ask = Ask { call_type, document: &document, reason, deadline };
            let content = match self.client.complete(ask, &calls).await {
                Ok(content) => content,
                Err(error) => {
                    return Err(AnalysisError {
                        retry_after: error.retry_after(),
                        away: self.away(&error),
                        ..failed(ErrorCode::LlmFailed, format!("the model's service {error}"), calls)
                    });
                }
            };
            match content.and_then(|json| check(&json, pages)) {
                Ok(found) => return Ok((found, calls.into_inner().unwrap_or_else(PoisonError::into_inner))),
                Err(unusable) => {
                    if let Some(call) = calls.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
                        call.outcome = unusable.outcome();
                    }
                    reason = Some(unusable);
                }
            }
        }
        let detail = reason.map(|unusable| unusable.to_string()).unwrap_or_default();
        Err(failed(ErrorCode::LlmInvalidResponse, detail, calls))
    }

    /// As [`Analyzer::extract`], for who settles it with what rules have found.
    ///
    /// # Errors
    /// [`AnalysisError`], with the calls made.
    pub(super) async fn extract_for_two(&self, input: AnalysisInput<'_>) -> Analysed<Extraction> {
        self.ask(CallType::Extractor, input.pages, answer::extraction).await
    }

    /// Whether a failure is one of the service, whatever the document: others have fared as badly since.
    fn away(&self, error: &CallError) -> Option<Duration> {
        match error {
            CallError::Away(wait) => Some(*wait),
            error => error.trouble().and_then(|_| self.client.service().away_for()),
        }
    }
}

#[async_trait]
impl Analyzer for LlmAnalyzer {
    fn name(&self) -> &'static str {
        "llm"
    }

    fn service(&self) -> Option<&Arc<Service>> {
        Some(self.client.service())
    }

    fn model(&self) -> Option<&str> {
        Some(self.client.model())
    }

    fn prompt_version(&self) -> Option<&'static str> {
        Some(prompt::VERSION)
    }

    async fn classify(&self, input: AnalysisInput<'_>) -> Analysed<Classification> {
        self.ask(CallType::DocTypeCheck, input.pages, answer::classification).await
    }

    async fn extract(&self, input: AnalysisInput<'_>) -> Analysed<Extraction> {
        let check = |json: &str, pages: &[Page]| answer::extraction_alone(json, pages, input.applicant_fio);
        self.ask(CallType::Extractor, input.pages, check).await
    }
}

/// Why the analyser cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LlmSetupError {
    /// A setting that a model needs is missing.
    #[error("{0} must be set unless ANALYZER=rules")]
    Missing(&'static str),
    /// The key cannot stand in a header.
    #[error("LLM_API_KEY holds signs that no header can")]
    Key,
    /// No HTTP client can be made.
    #[error("no HTTP client can be made: {0}")]
    Client(#[from] reqwest::Error),
}
