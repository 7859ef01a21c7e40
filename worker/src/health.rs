//! `WORKER_LISTEN`: alive, ready, metrics.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use shared::store;
use shared::telemetry::CONTENT_TYPE;

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
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(app);
    axum::serve(listener, routes).with_graceful_shutdown(async move { stopped.deadline.cancelled().await }).await
}

/// Ready, or what is down, by name.
async fn readyz(State(app): State<Shared>) -> impl IntoResponse {
    let down = what_is_down(&app).await;
    let mut answer =
        Map::from_iter([("ready".to_owned(), Value::Bool(down.is_empty())), ("down".to_owned(), json!(down))]);
    if let Some(date) = app.settings.judge_as_of {
        answer.insert("warnings".to_owned(), json!([format!("JUDGE_AS_OF: documents are judged as of {date}")]));
    }
    let status = if down.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(answer))
}

async fn what_is_down(app: &App) -> Vec<&'static str> {
    let database = store::ping(&app.pool).await.is_ok();
    let broker = app.broker.session().is_ok();
    let named = [("database", database), ("broker", broker), ("stopping", !app.stop.is_cancelled())];
    named.into_iter().filter(|(_, good)| !good).map(|(name, _)| name).collect()
}

async fn metrics(State(app): State<Shared>) -> impl IntoResponse {
    app.metrics.set_db_pool("main", app.pool.size(), app.pool.num_idle());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.encode())
}
