//! A real model behind OpenAI's API (`deploy/local/model.sh serve`), and what was said to it and by it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use harness::process::{Environment, Process};
use harness::services::checkout;
use harness::until::until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// One call: the request, and the answer with its status.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: Value,
    pub status: u16,
    pub answer: Value,
}

impl Exchange {
    pub fn format(&self) -> &str {
        self.request["response_format"]["type"].as_str().unwrap_or("none")
    }

    /// As the record names it; told by what is asked for.
    pub fn call_type(&self) -> &'static str {
        let asked = self.request["response_format"].to_string();
        if asked.contains("single_doc_type") { "doc_type_check" } else { "extractor" }
    }

    pub fn finish_reason(&self) -> Option<&str> {
        self.answer["choices"][0]["finish_reason"].as_str()
    }

    pub fn content(&self) -> &str {
        self.answer["choices"][0]["message"]["content"].as_str().unwrap_or_default()
    }

    /// Tokens of the prompt, of the answer, of both; null where there was no answer.
    pub fn tokens(&self) -> [Value; 3] {
        ["prompt_tokens", "completion_tokens", "total_tokens"].map(|name| self.answer["usage"][name].clone())
    }
}

/// The server, behind a relay that keeps what passes; ends with the test.
#[derive(Debug)]
pub struct ModelServer {
    url: String,
    passed: Arc<Relay>,
    task: JoinHandle<()>,
    _process: Process,
    _folder: TempDir,
}

impl ModelServer {
    /// Starts it on a free port and waits until it has its model.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("model.log");
        let mut process = serve(&log);
        let address = until("address of the model's server", async || {
            assert_eq!(process.ended(), None, "it does not start:\n{}", process.log_tail(20));
            address(&process.log())
        })
        .await;
        shared::tls::install();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        until("model", async || {
            let models = http.get(format!("{address}/v1/models")).send().await.ok()?;
            models.status().is_success().then_some(())
        })
        .await;
        let passed =
            Arc::new(Relay { http, to: format!("{address}/v1/chat/completions"), exchanges: Mutex::default() });
        let routes = Router::new().route("/v1/chat/completions", post(pass)).with_state(Arc::clone(&passed));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("it is bound"));
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("serving does not end");
        });
        Self { url, passed, task, _process: process, _folder: folder }
    }

    /// `LLM_BASE_URL`.
    pub fn base_url(&self) -> &str {
        &self.url
    }

    /// What has passed since this was asked last.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.passed.exchanges.lock().expect("no panic"))
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn serve(log: &Path) -> Process {
    let script = checkout().join("deploy/local/model.sh");
    Process::start(&script, &["serve", "0"], &Environment::new(), log).expect("it can be started")
}

/// What uvicorn says when it listens.
fn address(log: &str) -> Option<String> {
    let said = log.split_once("running on ")?.1;
    said.split_whitespace().next().map(str::to_owned)
}

#[derive(Debug)]
struct Relay {
    http: reqwest::Client,
    to: String,
    exchanges: Mutex<Vec<Exchange>>,
}

async fn pass(State(relay): State<Arc<Relay>>, body: Bytes) -> Response {
    let request = serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
    let asked = relay.http.post(&relay.to).header(header::CONTENT_TYPE, "application/json").body(body);
    let answer = asked.send().await.expect("the model's server answers");
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.expect("it answers in JSON");
    let exchange = Exchange { request, status, answer: answer.clone() };
    relay.exchanges.lock().expect("no panic").push(exchange);
    (StatusCode::from_u16(status).expect("a status"), Json(answer)).into_response()
}
