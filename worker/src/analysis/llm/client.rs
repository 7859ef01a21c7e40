//! Asking the model once, until an answer comes or the time is over.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::Client;
use serde::Serialize;
use serde_json::Value;
use shared::retry::{Policy, retry};
use shared::settings;
use shared::telemetry::{Metrics, Outcome, OutsideCall};
use tokio::sync::Semaphore;
use url::Url;

use super::super::{CallType, LlmCall};
use super::LlmSetupError;
use super::completion;
use super::format::{Asking, Format, Formats};
use super::prompt;
use super::unusable::Unusable;
use crate::outside::{self, Bounds, CallError, Service};

/// One answer. Models on a processor take their time.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// The answers asked for have a few hundred bytes; thoughts may come before them.
const ANSWER_BYTES: usize = 512 * 1024;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub call_type: CallType,
    /// Fenced and bounded.
    pub document: &'a Arc<str>,
    /// Why the answer before could not be used.
    pub reason: Option<Unusable>,
    pub deadline: Instant,
}

#[derive(Debug)]
pub(super) struct ChatClient {
    client: Client,
    service: Arc<Service>,
    url: Url,
    authorization: Option<HeaderValue>,
    model: Arc<str>,
    max_tokens: Option<usize>,
    formats: Formats,
    prompts: [Prompt; 2],
    metrics: Metrics,
}

/// What is the same in every call of its type, made once.
#[derive(Debug)]
struct Prompt {
    system: String,
    /// With the schema in words, where no format says it.
    system_with_schema: String,
    json_schema: Option<Value>,
    json_object: Option<Value>,
}

impl Prompt {
    fn new(call: CallType) -> Self {
        let system = prompt::system(call);
        let schema = prompt::schema(call);
        Self {
            system_with_schema: format!("{system}\nThe JSON object must fit this JSON schema:\n\n{schema}\n"),
            system,
            json_schema: Format::JsonSchema.member(call),
            json_object: Format::JsonObject.member(call),
        }
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    temperature: u8,
    messages: &'a [Message<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<&'a Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl ChatClient {
    pub(super) fn new(settings: &settings::Llm, metrics: Metrics) -> Result<Self, LlmSetupError> {
        let mut url = settings.base_url.clone().ok_or(LlmSetupError::Missing("LLM_BASE_URL"))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["chat", "completions"]);
        }
        let authorization = settings.api_key.as_ref().map(|key| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Ok(Self {
            client: outside::client()?,
            service: Arc::new(Service::new("llm", Semaphore::MAX_PERMITS, metrics.clone())),
            url,
            authorization: match authorization {
                None => None,
                Some(value) => Some(value.ok_or(LlmSetupError::Key)?),
            },
            model: settings.model.as_deref().ok_or(LlmSetupError::Missing("LLM_MODEL"))?.into(),
            max_tokens: settings.max_tokens,
            formats: Formats::new(settings.response_format),
            prompts: [CallType::DocTypeCheck, CallType::Extractor].map(Prompt::new),
            metrics,
        })
    }

    pub(super) fn calls_at_once(self, calls: usize) -> Self {
        Self { service: Arc::new(Service::new("llm", calls, self.metrics.clone())), ..self }
    }

    pub(super) const fn service(&self) -> &Arc<Service> {
        &self.service
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// The JSON object of an answer, or why there is none in it. Every request is noted in `calls`.
    pub(super) async fn complete(
        &self,
        ask: Ask<'_>,
        calls: &Mutex<Vec<LlmCall>>,
    ) -> Result<Result<String, Unusable>, CallError> {
        let policy = Policy {
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
            longest_retry_after: LONGEST_RETRY_AFTER,
            budget: ask.deadline.saturating_duration_since(Instant::now()),
        };
        retry(policy, |_| async move {
            let mut asking = self.formats.asking(Instant::now());
            loop {
                match self.request(ask, &asking, calls).await {
                    Ok(content) => {
                        asking.served(Instant::now());
                        return Ok(content);
                    }
                    Err(error) if asking.refused(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        })
        .await
    }

    async fn request(
        &self,
        ask: Ask<'_>,
        asking: &Asking<'_>,
        calls: &Mutex<Vec<LlmCall>>,
    ) -> Result<Result<String, Unusable>, CallError> {
        let body = self.body(ask, asking.format());
        let started = Instant::now();
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let left = ask.deadline.saturating_duration_since(started);
        let bounds = Bounds { left, answer: ANSWER_WITHIN, bytes: ANSWER_BYTES };
        let answer = self.service.call_unless(request, bounds, |error| asking.is_told_no(error)).await;
        let duration = started.elapsed();
        let (usage, content, outcome) = match answer {
            Ok(answer) => {
                let (usage, content) = completion::read(&answer);
                let outcome = if content.is_ok() { Outcome::Ok } else { Outcome::Invalid };
                (usage, Ok(content), outcome)
            }
            Err(error) => {
                // Where it was not called there is no call to be kept.
                let Some(outcome) = error.outcome() else { return Err(error) };
                let outcome = if asking.is_told_no(&error) { Outcome::Refused } else { outcome };
                (completion::Usage::default(), Err(error), outcome)
            }
        };
        self.metrics.outside_call(OutsideCall { service: "llm", outcome, duration });
        let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or(0);
        self.metrics.llm_tokens(ask.call_type.as_str(), count(usage.prompt_tokens), count(usage.completion_tokens));
        calls.lock().unwrap_or_else(PoisonError::into_inner).push(LlmCall {
            call_type: ask.call_type,
            model: Arc::clone(&self.model),
            started,
            duration,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            outcome: outcome.as_str(),
        });
        content
    }

    fn body(&self, ask: Ask<'_>, format: Format) -> Bytes {
        let prompt = &self.prompts[match ask.call_type {
            CallType::DocTypeCheck => 0,
            CallType::Extractor => 1,
        }];
        let (system, response_format) = match format {
            Format::JsonSchema => (&prompt.system, prompt.json_schema.as_ref()),
            Format::JsonObject => (&prompt.system, prompt.json_object.as_ref()),
            Format::None => (&prompt.system_with_schema, None),
        };
        let user: Cow<'_, str> = match ask.reason {
            None => Cow::Borrowed(ask.document),
            Some(reason) => format!(
                "{}\nAn earlier answer could not be used: {reason}. Answer the question about the document again.",
                ask.document
            )
            .into(),
        };
        // Two messages and no more: the templates of some models know no other order.
        let messages = [Message { role: "system", content: system }, Message { role: "user", content: &user }];
        let request = Request {
            model: &self.model,
            temperature: 0,
            messages: &messages,
            max_tokens: self.max_tokens,
            response_format,
        };
        serde_json::to_vec(&request).expect("texts and values are always JSON").into()
    }
}
