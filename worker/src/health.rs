//! `WORKER_LISTEN`: alive, ready, metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use shared::store;
use shared::telemetry::{Breaker, CONTENT_TYPE};

use crate::app::{App, Shared};

/// Serves until the worker has stopped.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(app: Shared, listen: SocketAddr) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let stopped = Arc::clone(&app);
    let routes = Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "ok" }))))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(app);
    axum::serve(listener, routes).with_graceful_shutdown(async move { stopped.deadline.cancelled().await }).await
}

/// Ready, or what is down, by name.
async fn readyz(State(app): State<Shared>) -> impl IntoResponse {
    let down = what_is_down(&app).await;
    let warnings: Vec<String> = app
        .settings
        .judge_as_of
        .iter()
        .map(|day| format!("JUDGE_AS_OF is set: documents are judged as of {day}"))
        .chain(what_is_away(&app))
        .collect();
    // In the words of the api's readiness.
    let (status, word) =
        if down.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    (status, Json(json!({ "status": word, "down": down, "paused": app.paused.names(), "warnings": warnings })))
}

/// A service outside that is left alone is told of and does not count: the worker can do nothing about it, and
/// works on as soon as the service does.
fn what_is_away(app: &App) -> impl Iterator<Item = String> {
    app.pipeline.services().filter_map(|service| match service.state() {
        Breaker::Closed => None,
        Breaker::HalfOpen => Some(format!("{} is probed: its breaker is half open", service.name())),
        Breaker::Open => Some(format!("{} is left alone: its breaker is open", service.name())),
    })
}

async fn what_is_down(app: &App) -> Vec<&'static str> {
    let database = store::ping(&app.pool).await.is_ok();
    let broker = app.broker.session().is_ok();
    let named = [("database", database), ("broker", broker), ("stopping", !app.stop.is_cancelled())];
    named.into_iter().filter(|(_, good)| !good).map(|(name, _)| name).collect()
}

/// Has the metrics look at the app each time they are read.
pub fn feed_metrics(app: &Shared) {
    let looked_at = Arc::downgrade(app);
    app.metrics.looked_at_by(move |metrics| {
        let Some(app) = looked_at.upgrade() else { return };
        metrics.set_db_pool("main", &app.pool);
        metrics.set_broker_connected(app.broker.session().is_ok());
        metrics.set_ocr_children(app.pipeline.sandbox.running(), app.pipeline.sandbox.processes());
        metrics.set_in_progress("run", app.leases.len());
        metrics.set_in_progress("callback", app.sender.busy());
        let (away, known) = app.sender.hosts();
        metrics.set_callback_hosts(away, known);
    });
}

async fn metrics(State(app): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.encode())
}
