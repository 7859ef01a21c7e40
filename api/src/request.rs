//! What surrounds every request: its trace, where it came from, a line in the log, its metrics, and a 500 in
//! place of a panic.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use shared::telemetry::{TraceContext, method_label, start};
use tracing::Instrument;
use tracing::field::{Empty, display};
use uuid::Uuid;

use crate::forwarded::client_address;
use crate::problem::{Code, Problem};
use crate::state::App;

tokio::task_local! {
    static TRACE: TraceContext;
}

/// What a handler may need of its request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Which trace it belongs to.
    pub trace: TraceContext,
    /// Where it came from.
    pub ip_address: Option<IpAddr>,
}

/// The address that the connection came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The trace id of the request that is being answered.
pub(crate) fn current_trace_id() -> Option<String> {
    TRACE.try_with(TraceContext::trace_id).ok()
}

static UNMATCHED: LazyLock<Arc<str>> = LazyLock::new(|| "unmatched".into());

/// A refusal without a word is one that no handler of ours gave (the reader of the description knows no problem).
fn told(response: Response) -> Response {
    if response.headers().contains_key(CONTENT_TYPE) {
        return response;
    }
    match response.status() {
        StatusCode::NOT_FOUND => Problem::not_found().into_response(),
        StatusCode::INTERNAL_SERVER_ERROR => {
            Problem::new(Code::InternalError, "Something of ours failed.").into_response()
        }
        _ => response,
    }
}

/// Surrounds a request.
pub async fn surround(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| Arc::clone(&UNMATCHED), |path| path.as_str().into());
    let span = tracing::error_span!(
        "request",
        otel.name = %format_args!("{} {route}", method_label(&method)),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method_label(&method),
        http.route = %route,
        http.response.status_code = Empty,
        run_id = Empty,
    );
    if let Some(run_id) = run_id_of(request.uri().path()) {
        span.record("run_id", display(run_id));
    }
    let trace = start(&span, TraceContext::from_headers(request.headers()));
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let ip_address = peer.map(|peer| client_address(peer, request.headers(), &app.rules.trusted_proxies));
    request.extensions_mut().insert(RequestContext { trace, ip_address });
    let answered = async {
        AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Problem::new(Code::InternalError, "Something of ours failed.").into_response()
        })
    };
    let answered = async { told(answered.await) };
    let response = TRACE.scope(trace, answered).instrument(span.clone()).await;
    let (status, took) = (response.status(), began.elapsed());
    app.metrics.http_request(&route, &method, status, took);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| {
        let milliseconds = took.as_secs_f64() * 1000.0;
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), duration_ms = milliseconds, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), duration_ms = milliseconds, "answered");
        }
    });
    response
}

/// The run that a path is about: `/v1/runs/{run_id}` and what is below it.
fn run_id_of(path: &str) -> Option<Uuid> {
    path.strip_prefix("/v1/runs/")?.split('/').next()?.parse().ok()
}
