//! The other side of what RB-OCR calls: OCR over HTTP, a model's server, a caller's endpoint, S3, a collector. Local
//! servers on a free port, with delays and faults on demand, light enough to stand in a benchmark.

pub mod knowing;
pub mod llm;
pub mod ocr;
pub mod otlp;
pub mod receiver;
pub mod s3;

use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A server that runs until it is dropped.
#[derive(Debug)]
struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(routes: Router) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("serving does not end");
        });
        Self { address, task }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a service is as a whole, until it is told otherwise. Faults of single requests come on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It answers.
    #[default]
    Good,
    /// It takes requests and does not answer; those that still wait when the mode ends get 503.
    Hangs,
    /// It answers with this status, and with `Retry-After` where it says so.
    Fails(u16, Option<&'static str>),
}

/// The mode of a running service.
#[derive(Debug, Default)]
struct Switch(watch::Sender<Mode>);

impl Switch {
    fn set(&self, mode: Mode) {
        self.0.send_replace(mode);
    }

    /// The answer that the mode gives in the service's place; none while it is good.
    async fn answer(&self) -> Option<Response> {
        let mut modes = self.0.subscribe();
        let mode = *modes.borrow_and_update();
        match mode {
            Mode::Good => None,
            Mode::Hangs => {
                // The sender lives as long as the service.
                drop(modes.changed().await);
                Some(status(503, None))
            }
            Mode::Fails(code, retry_after) => Some(status(code, retry_after)),
        }
    }
}

fn status(code: u16, retry_after: Option<&'static str>) -> Response {
    let status = StatusCode::from_u16(code).expect("a status");
    match retry_after {
        Some(after) => (status, [("retry-after", after)]).into_response(),
        None => status.into_response(),
    }
}

/// Never answers; ends when the caller hangs up.
async fn hang() -> ! {
    std::future::pending().await
}
