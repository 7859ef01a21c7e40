//! The callers' endpoint: keeps every callback that arrives and what the api said of its run at that moment.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::task::JoinHandle;

use super::api::Api;

/// One callback as it arrived; what was answered with 500 counts too.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Which submission the address is of.
    pub submission: u64,
    /// Header `webhook-id`.
    pub webhook_id: String,
    /// The body.
    pub body: Bytes,
    /// Whether the reference library accepts the signature and the time in it.
    pub verified: bool,
    /// What the api said of the run while the callback waited for its answer; none where the api was away.
    pub status: Option<String>,
    /// Whether it was answered with 200.
    pub accepted: bool,
    /// When.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct Shared {
    down: AtomicBool,
    arrivals: Mutex<Vec<Arrival>>,
    caller: OnceLock<(Api, String)>,
}

/// The endpoint.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Starts it.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let routes = Router::new().route("/hook/{submission}", post(receive)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("serving does not end");
        });
        Self { address, shared, task }
    }

    /// Whose api is asked, and the secret that callbacks are signed with.
    pub fn belongs_to(&self, api: Api, secret: String) {
        drop(self.shared.caller.set((api, secret)));
    }

    /// The address for a submission.
    pub fn url(&self, submission: u64) -> String {
        format!("http://{}/hook/{submission}", self.address)
    }

    /// Answers 500 from now on, or 200 again.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::Relaxed);
    }

    /// What arrived so far.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    Path(submission): Path<u64>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let at = Instant::now();
    let webhook_id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let event: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (mut verified, mut status) = (false, None);
    if let Some((api, secret)) = shared.caller.get() {
        verified = Webhook::new(secret).is_ok_and(|webhook| webhook.verify(&body, &headers).is_ok());
        if let Some(run_id) = event["data"]["run_id"].as_str() {
            // The sender waits for our answer: whatever it does after it is not done yet.
            let asked = tokio::time::timeout(Duration::from_secs(3), api.run(run_id)).await;
            status = asked.ok().and_then(Result::ok).map(|(code, run)| match code {
                200 => run["status"].as_str().unwrap_or_default().to_owned(),
                code => code.to_string(),
            });
        }
    }
    let accepted = !shared.down.load(Ordering::Relaxed);
    let arrival = Arrival { submission, webhook_id, body, verified, status, accepted, at };
    shared.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
    if accepted { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}
