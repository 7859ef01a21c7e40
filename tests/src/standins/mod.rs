//! The other side of what RB-OCR calls: OCR over HTTP, a model's server, a caller's endpoint, S3, a collector. Local
//! servers on a free port, with delays and faults on demand, light enough to stand in a benchmark.

pub mod llm;
pub mod ocr;
pub mod otlp;
pub mod receiver;
pub mod s3;

use std::net::SocketAddr;

use axum::Router;
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

/// Never answers; ends when the caller hangs up.
async fn hang() -> ! {
    std::future::pending().await
}
