//! Connections: bounded in number, in the size and time of a request's header, and drained at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::connection::{Connection, InHand};
use crate::request::Peer;

/// Connections at once, at most; more wait in the kernel's queue.
const CONNECTIONS: usize = 8_192;

/// How long the header of a request may take, also the next one of a connection that is kept.
const HEADER_TIME: Duration = Duration::from_secs(60);

/// Bytes that are read ahead of a handler, and the size of a request's header.
const BUFFER_BYTES: usize = 128 * 1024;

/// Lines of a request's header.
const HEADER_LINES: usize = 64;

/// How long to wait when no connection can be accepted (no free file descriptor).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, then lets requests that are under way end, for `patience` at most.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, patience: Duration) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            connection(stream, Peer(peer), router, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(patience, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off");
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, stop: CancellationToken) {
    // Answers are small and whole: there is nothing to gain from holding them back.
    drop(stream.set_nodelay(true));
    let in_hand = InHand::default();
    let stream = Connection::new(stream, in_hand.clone());
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (router, answered) = (router.clone(), in_hand.begin());
        async move {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let response: Result<_, Infallible> = router.oneshot(request).await;
            response.map(|response| answered.with(response))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(HEADER_LINES)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // A caller that went away in the middle, or sent what is no HTTP.
        tracing::debug!(%error, "a connection ended early");
    }
}
