//! `POST /v1/runs/{run_id}/callbacks/redeliver`: the newest event again, same id and body.

use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;
use shared::domain::Status;
use shared::store::callbacks;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RunId, find};
use crate::auth::MaySubmit;
use crate::problem::{Code, Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// What is delivered again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Redelivery {
    /// Of which run.
    pub run_id: Uuid,
    /// Which of its events.
    pub sequence: i32,
}

/// Delivers the newest event again.
#[utoipa::path(
    post, path = "/v1/runs/{run_id}/callbacks/redeliver", tag = "callbacks",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 202, description = "It is owed again", body = Redelivery),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "RUN_NOT_FINISHED, RUN_FINISHED: there is no event", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn redeliver(
    State(app): State<App>,
    MaySubmit(caller): MaySubmit,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<(StatusCode, Json<Redelivery>), Problem> {
    let record = find::own(&app, &caller, run_id).await?;
    let (actor, trace) = (caller.key_id.to_string(), context.trace.to_string());
    let owed = callbacks::redeliver(&app.pool, run_id, record.client_id, &actor, context.ip_address, &trace).await?;
    let Some(sequence) = owed else {
        return Err(if record.status == Status::Processing {
            Problem::new(Code::RunNotFinished, "The run has not finished: there is no event yet.")
        } else {
            Problem::new(
                Code::RunFinished,
                "The run finished without an event: it was submitted without a callback URL.",
            )
        });
    };
    app.relay.committed();
    Ok((StatusCode::ACCEPTED, Json(Redelivery { run_id, sequence })))
}
