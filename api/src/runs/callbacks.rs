//! `GET /v1/runs/{run_id}/callbacks`: what the caller was told, with each try.

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::store::callbacks::{self, AttemptRow, EventRow};
use utoipa::ToSchema;

use super::{Items, RunId, find, named_client};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// One event and its tries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Callback)]
pub struct CallbackView {
    /// The same on every try.
    pub webhook_id: String,
    /// Counts from 1 for each run.
    pub sequence: i32,
    /// `run.completed`, `run.failed` or `run.reviewed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `thin`, `full` or `plain`.
    pub form: String,
    /// Where it goes.
    pub url: String,
    /// `pending`, `delivered`, `failed` or `superseded`.
    pub state: String,
    /// When it happened.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it stopped being pending.
    #[serde(serialize_with = "shared::run_view::milliseconds_or_null")]
    #[schema(required = true)]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it is tried next, while pending.
    #[serde(serialize_with = "shared::run_view::milliseconds_or_null")]
    #[schema(required = true)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// In order.
    pub attempts: Vec<AttemptView>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackAttempt)]
pub struct AttemptView {
    /// From 1.
    pub attempt: i32,
    /// When.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub at: DateTime<Utc>,
    /// How long.
    pub duration_seconds: f64,
    /// Null where no answer came.
    #[schema(required = true)]
    pub status_code: Option<i32>,
    /// `delivered`, or why not: `rejected`, `gone`, `timed_out`, `unreachable`, `target_refused`.
    pub outcome: String,
}

/// Answers the deliveries of a run, newest event first.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/callbacks", tag = "callbacks",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The events with their tries", body = Items<CallbackView>),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn callbacks(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Json<Items<CallbackView>>, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "callbacks.read").await?;
    let (events, attempts) = callbacks::list(&app.pool, run_id).await?;
    let items = events.into_iter().map(|event| view(event, &attempts)).collect();
    Ok(Json(Items { client: named_client(&record, reader(&caller)), items }))
}

fn view(event: EventRow, attempts: &[AttemptRow]) -> CallbackView {
    let own = attempts.iter().filter(|attempt| attempt.sequence == event.sequence);
    let own = own.map(|row| AttemptView {
        attempt: row.attempt,
        at: row.at,
        duration_seconds: row.duration_seconds,
        status_code: row.status_code,
        outcome: row.outcome.clone(),
    });
    CallbackView {
        attempts: own.collect(),
        webhook_id: event.webhook_id,
        sequence: event.sequence,
        kind: event.kind,
        form: event.form,
        url: event.url,
        state: event.state,
        created_at: event.created_at,
        ended_at: event.ended_at,
        next_attempt_at: event.next_attempt_at,
    }
}
