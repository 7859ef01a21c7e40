//! A caller's endpoint: takes callbacks, answers by script, verifies with the reference library.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use bytes::Bytes;
use standardwebhooks::Webhook;
use tokio::sync::watch;

use super::Running;

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// With this status and header.
    Header(u16, &'static str, String),
    /// With this status and a body of so many bytes.
    Body(u16, usize),
    /// Not at all.
    Hang,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Received {
    /// Whether the reference library of Standard Webhooks accepts it with this secret.
    pub fn verifies(&self, secret: &str) -> bool {
        Webhook::new(secret).is_ok_and(|webhook| webhook.verify(&self.body, &self.headers).is_ok())
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a callback's body is JSON")
    }

    /// `user:password` of HTTP Basic.
    pub fn basic(&self) -> Option<String> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).ok()?).ok()
    }
}

#[derive(Debug)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    received: watch::Sender<Vec<Received>>,
}

/// The endpoint. Requests beyond the script are answered with 200.
#[derive(Debug)]
pub struct Receiver {
    running: Running,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Starts one that answers by this script, one answer for each request.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let script = Mutex::new(script.into_iter().collect());
        let shared = Arc::new(Shared { script, received: watch::channel(Vec::new()).0 });
        let routes = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        Self { running: Running::start(routes).await, shared }
    }

    /// An address to send callbacks to.
    pub fn url(&self) -> String {
        format!("{}/hook", self.running.url())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.running.address.port()
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// What came, as soon as so many requests have.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        received.wait_for(|all| all.len() >= count).await.expect("the server lives as long as this").clone()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 16 * 1024 * 1024).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = shared.script.lock().expect("no panic").pop_front().unwrap_or(Answer::Status(200));
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    shared.received.send_modify(|all| all.push(Received { path, headers: head.headers, body }));
    let status = |code| StatusCode::from_u16(code).expect("a script holds statuses");
    match answer {
        Answer::Status(code) => status(code).into_response(),
        Answer::Header(code, name, value) => (status(code), [(name, value)]).into_response(),
        Answer::Body(code, length) => (status(code), vec![b'x'; length]).into_response(),
        Answer::Hang => super::hang().await,
    }
}
