//! `/healthz` (alive, asks nobody), `/readyz` (ready, or what is down, by name) and `/metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use shared::store;
use shared::telemetry;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer of the document store is good: asking it writes.
const STORE_ANSWER: Duration = Duration::from_secs(5);

/// Days ahead for which there must be partitions.
const HORIZON_DAYS: i64 = 7;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// That the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether submissions are accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not_ready`.
    status: &'static str,
    /// What is down, by name.
    down: Vec<&'static str>,
    /// Each part: `ok`, or what is wrong with it.
    checks: BTreeMap<&'static str, String>,
    /// What operators have paused: `intake`, `runs`, `callbacks`.
    paused: Vec<&'static str>,
    /// What is not as it should be in production.
    warnings: Vec<String>,
}

/// Alive. Asks nobody.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, description = "Alive", body = Health)))]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ready to accept submissions, or what is down, by name.
///
/// The broker is told of but does not count: submissions are accepted while it is away.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready", body = Readiness),
    )
)]
pub async fn readyz(State(app): State<App>) -> Response {
    let mut checks = BTreeMap::new();
    let mut down = Vec::new();
    for (name, wrong) in [
        ("database", patient(database(&app)).await),
        ("schema", patient(schema(&app)).await),
        ("partitions", patient(partitions(&app)).await),
        ("clock", clock(&app)),
        ("store", patient(store_answers(&app)).await),
    ] {
        if wrong.is_some() {
            down.push(name);
        }
        checks.insert(name, wrong.unwrap_or_else(|| "ok".into()));
    }
    let ready = down.is_empty() && !app.stopping.is_cancelled();
    if !(app.broker_is_up)() {
        down.push("broker");
        checks.insert("broker", "away: submissions are accepted and wait".into());
    } else {
        checks.insert("broker", "ok".into());
    }
    // While they cannot be read, what was read last holds.
    let _ = tokio::time::timeout(PATIENCE, app.paused.read(&app.pool, &app.metrics)).await;
    let paused = app.paused.names();
    let warnings = app.rules.judge_as_of.map(|day| format!("JUDGE_AS_OF is set: documents are judged as of {day}"));
    let status = if ready { "ready" } else { "not_ready" };
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Readiness { status, down, checks, paused, warnings: warnings.into_iter().collect() })).into_response()
}

/// Metrics of this process for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()), responses((status = 200, description = "OpenMetrics", content_type = "application/openmetrics-text", body = String)))]
pub async fn metrics(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], app.metrics.encode()).into_response()
}

/// Has the metrics look at the app each time they are read.
pub fn feed_metrics(app: &App) {
    let looked_at = Arc::downgrade(app);
    app.metrics.looked_at_by(move |metrics| {
        let Some(app) = looked_at.upgrade() else { return };
        metrics.set_db_pool("main", &app.pool);
        metrics.set_db_pool("read", &app.read_pool);
        metrics.set_broker_connected((app.broker_is_up)());
    });
}

/// What is wrong, or that no answer came in time.
async fn patient(check: impl Future<Output = Option<String>>) -> Option<String> {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| Some("gave no answer in time".into()))
}

async fn database(app: &App) -> Option<String> {
    store::ping(&app.pool).await.err().map(|_| "cannot be reached".into())
}

async fn schema(app: &App) -> Option<String> {
    match store::pending_migrations(&app.pool).await {
        Ok(0) => None,
        Ok(steps) => Some(format!("{steps} steps behind: run `rb-ocr migrate`")),
        Err(_) => Some("cannot be asked".into()),
    }
}

async fn partitions(app: &App) -> Option<String> {
    let needed = (Utc::now() + chrono::TimeDelta::days(HORIZON_DAYS)).date_naive();
    match store::months::horizon(&app.pool).await {
        Ok(Some(horizon)) if horizon > needed => None,
        Ok(Some(horizon)) => Some(format!("there is room until {horizon} only")),
        Ok(None) => Some("there are none".into()),
        Err(_) => Some("cannot be asked".into()),
    }
}

fn clock(app: &App) -> Option<String> {
    match app.clock.offset() {
        _ if app.clock.is_sound() => None,
        Some(offset) => Some(format!("is {} s from the database's", offset.num_seconds())),
        None => Some("was not compared with the database's yet".into()),
    }
}

async fn store_answers(app: &App) -> Option<String> {
    if let Some(answer) = app.store_answer.fresh(Instant::now()) {
        return answer;
    }
    let answer = app.documents.probe().await.err().map(|_| "cannot be written".to_owned());
    app.store_answer.keep(answer.clone(), Instant::now());
    answer
}

/// The last answer of the document store.
#[derive(Debug, Default)]
pub struct StoreAnswer(Mutex<Option<(Instant, Option<String>)>>);

impl StoreAnswer {
    fn fresh(&self, now: Instant) -> Option<Option<String>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref()
            .filter(|(at, _)| now.saturating_duration_since(*at) < STORE_ANSWER)
            .map(|(_, wrong)| wrong.clone())
    }

    fn keep(&self, answer: Option<String>, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, answer));
    }
}
