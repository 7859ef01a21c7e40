//! `GET /v1/runs/{run_id}/audit`: who did what to a run.

use std::net::IpAddr;

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::store::audit::list::{self, Filter, Listed};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Items, RunId, find, named_client};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Events of a run, at most: the newest. The command line shows more.
const MOST: i64 = 1_000;

/// Something that was done to a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct EventView {
    /// Its id.
    pub event_id: Uuid,
    /// When.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub at: DateTime<Utc>,
    /// The API key's id, the worker's name or the operator's account.
    pub actor: String,
    /// Of an API key: its client and its first letters.
    #[schema(required = true)]
    pub actor_name: Option<String>,
    /// What was done, such as `run.submitted` or `document.read`.
    pub action: String,
    /// From where; null where no request did it.
    #[schema(required = true, value_type = Option<String>)]
    pub ip_address: Option<IpAddr>,
    /// `accepted`, `done`, or how the run ended.
    pub outcome: String,
    /// What else was kept; nothing of the document.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// Answers who did what to a run, newest first. Polls by one key are one event in ten minutes.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/audit", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The newest 1,000 events", body = Items<EventView>),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn audit(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Json<Items<EventView>>, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "audit.read").await?;
    let events = list::newest(&app.pool, &Filter { run_id: Some(run_id), ..Filter::default() }, MOST).await?;
    let items = events.into_iter().map(EventView::from).collect();
    Ok(Json(Items { client: named_client(&record, reader(&caller)), items }))
}

impl From<Listed> for EventView {
    fn from(event: Listed) -> Self {
        Self {
            event_id: event.event_id,
            at: event.at,
            actor: event.actor,
            actor_name: event.actor_name,
            action: event.action,
            ip_address: event.ip_address,
            outcome: event.outcome,
            details: event.details,
        }
    }
}
