//! A model's server as OpenAI's API has it: answers from a closure, or by a simple search in the
//! text; with faults on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use shared::settings::{self, AnalyzerKind, ResponseFormat, Secret};

use super::{Mode, Running, Switch, status};

/// Which of a run's two calls it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallType {
    /// Type of the document.
    DocTypeCheck,
    /// Name and date.
    Extractor,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which call it is.
    pub call_type: CallType,
    /// The whole body.
    pub request: Value,
    /// `Authorization`.
    pub authorization: Option<String>,
}

impl Call {
    /// The text of all messages of this role.
    pub fn messages(&self, role: &str) -> String {
        let messages = self.request["messages"].as_array().into_iter().flatten();
        let of_role = messages.filter(|message| message["role"] == role);
        of_role.filter_map(|message| message["content"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// `response_format.type`; `none` where there is none.
    pub fn response_format(&self) -> &str {
        self.request["response_format"]["type"].as_str().unwrap_or("none")
    }
}

/// What goes wrong with one request, whichever comes next.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with `Retry-After` where it says so.
    Status(u16, Option<&'static str>),
    /// A good answer's frame around this content.
    Content(String),
    /// `finish_reason: length`, the content cut in half.
    CutOff,
    /// `message.refusal`.
    Refusal,
    /// A body that is not JSON.
    Broken,
    /// A body of so many bytes.
    Huge(usize),
    /// No answer.
    Hang,
}

/// What the model answers.
pub type AnswerFn = dyn Fn(&Call) -> Value + Send + Sync;

/// How it behaves.
#[derive(Clone)]
pub struct Behaviour {
    /// What it answers.
    pub answer: Arc<AnswerFn>,
    /// Before each answer.
    pub delay: Duration,
    /// One for each request until they are used up.
    pub faults: Vec<Fault>,
    /// Types of `response_format` that are refused, with this status.
    pub refused_formats: Vec<(&'static str, u16)>,
    /// Requests about a document that holds this text get no answer.
    pub hang_on: Option<&'static str>,
    /// Whether requests are kept for [`Llm::calls`].
    pub keep_calls: bool,
}

impl fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behaviour").field("delay", &self.delay).field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Behaviour {
    /// Answers as the closure says.
    pub fn answering(answer: impl Fn(&Call) -> Value + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            delay: Duration::ZERO,
            faults: Vec::new(),
            refused_formats: Vec::new(),
            hang_on: None,
            keep_calls: true,
        }
    }

    /// Answers by [`search`].
    pub fn searching() -> Self {
        Self { keep_calls: false, ..Self::answering(search) }
    }
}

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    faults: Mutex<VecDeque<Fault>>,
    calls: Mutex<Vec<Call>>,
    switch: Switch,
}

/// The server.
#[derive(Debug)]
pub struct Llm {
    running: Running,
    shared: Arc<Shared>,
}

impl Llm {
    /// Starts one.
    pub async fn start(behaviour: Behaviour) -> Self {
        let faults = Mutex::new(behaviour.faults.iter().cloned().collect());
        let shared = Arc::new(Shared { behaviour, faults, calls: Mutex::default(), switch: Switch::default() });
        let routes = Router::new().route("/v1/chat/completions", post(complete)).with_state(Arc::clone(&shared));
        Self { running: Running::start(routes).await, shared }
    }

    /// `LLM_BASE_URL`.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.running.url())
    }

    /// The settings of who asks it, for JSON in this form.
    pub fn settings(&self, response_format: ResponseFormat) -> settings::Llm {
        settings::Llm {
            analyzer: AnalyzerKind::Llm,
            base_url: Some(self.base_url().parse().expect("an address")),
            api_key: Some(Secret::new("the-key")),
            model: Some("the-model".to_owned()),
            calls: None,
            prices: shared::settings::Prices::default(),
            max_tokens: None,
            response_format,
        }
    }

    /// How it is from now on.
    pub fn set(&self, mode: Mode) {
        self.shared.switch.set(mode);
    }

    /// The requests, if they are kept.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().expect("no panic").clone()
    }
}

async fn complete(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: bytes::Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut call = Call { call_type: CallType::DocTypeCheck, request, authorization };
    if call.messages("system").contains("doc_date") {
        call.call_type = CallType::Extractor;
    }
    let behaviour = &shared.behaviour;
    if behaviour.keep_calls {
        shared.calls.lock().expect("no panic").push(call.clone());
    }
    if let Some(answer) = shared.switch.answer().await {
        return answer;
    }
    if behaviour.hang_on.is_some_and(|text| call.messages("user").contains(text)) {
        super::hang().await;
    }
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    if let Some((format, code)) = behaviour.refused_formats.iter().find(|(format, _)| *format == call.response_format())
    {
        let status = StatusCode::from_u16(*code).expect("a status");
        let message = format!("response_format of type {format} is not supported");
        return (status, axum::Json(json!({"error": {"message": message}}))).into_response();
    }
    let fault = shared.faults.lock().expect("no panic").pop_front();
    let content = |call: &Call| (behaviour.answer)(call).to_string();
    match fault {
        None => completion(&content(&call), "stop", None),
        Some(Fault::Content(content)) => completion(&content, "stop", None),
        Some(Fault::CutOff) => {
            let whole = content(&call);
            completion(&whole.chars().take(whole.chars().count() / 2).collect::<String>(), "length", None)
        }
        Some(Fault::Refusal) => completion("", "stop", Some("I cannot help with that.")),
        Some(Fault::Status(code, retry_after)) => status(code, retry_after),
        Some(Fault::Broken) => "<html>".into_response(),
        Some(Fault::Huge(bytes)) => vec![b' '; bytes].into_response(),
        Some(Fault::Hang) => super::hang().await,
    }
}

fn completion(content: &str, finish_reason: &str, refusal: Option<&str>) -> Response {
    axum::Json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "stand-in",
        "choices": [{"index": 0, "finish_reason": finish_reason,
                     "message": {"role": "assistant", "content": content, "refusal": refusal}}],
        "usage": {"prompt_tokens": 700, "completion_tokens": 60, "total_tokens": 760},
    }))
    .into_response()
}

/// Answers by a simple search: the first known title, three words that end like a full name, the
/// first date of the form 04.12.2023; on the first page.
pub fn search(call: &Call) -> Value {
    let text = call.messages("user");
    match call.call_type {
        CallType::DocTypeCheck => {
            let known = shared::domain::doc_types::DOC_TYPES.iter().map(|known| known.title);
            let found = known.into_iter().find(|title| text.contains(title));
            json!({"single_doc_type": true, "doc_type": field(found, found)})
        }
        CallType::Extractor => {
            let (name, date) = (full_name(&text), date(&text));
            let iso = date.map(|date| format!("{}-{}-{}", &date[6..], &date[3..5], &date[..2]));
            let mut doc_date = field(iso.as_deref(), date);
            doc_date["kind"] = json!("issue");
            json!({"fio": field(name.as_deref(), name.as_deref()), "doc_date": doc_date})
        }
    }
}

fn field(value: Option<&str>, quote: Option<&str>) -> Value {
    json!({"value": value, "quote": quote, "page": value.map(|_| 1)})
}

fn full_name(text: &str) -> Option<String> {
    const ENDINGS: &[&str] = &["вич", "ьич", "вна", "чна", "улы", "кызы", "ұлы", "қызы"];
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches([',', '.', ':', ';'])).collect();
    let named = words.windows(3).find(|three| {
        let capital = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
        three.iter().all(capital) && ENDINGS.iter().any(|ending| three[2].ends_with(ending))
    })?;
    Some(named.join(" "))
}

fn date(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find(|part| {
        part.len() == 10
            && part.bytes().enumerate().all(|(at, byte)| if matches!(at, 2 | 5) { byte == b'.' } else { byte != b'.' })
    })
}
