//! `DELETE /v1/runs/{run_id}`: erases a run and everything that belongs to it.

use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use shared::store::erasures::{self, Eraser};

use super::{RunId, find};
use crate::auth::MayErase;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Erases a run, also one that is being worked on.
#[utoipa::path(
    delete, path = "/v1/runs/{run_id}", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 204, description = "It is erased"),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED: already; RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn delete(
    State(app): State<App>,
    MayErase(caller): MayErase,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<StatusCode, Problem> {
    let (actor, trace) = (caller.key_id.to_string(), context.trace.to_string());
    let eraser = Eraser { actor: &actor, ip_address: context.ip_address, trace_context: &trace };
    if !erasures::erase(&app.pool, run_id, caller.client_id, &eraser).await? {
        // Unknown, another's or erased before: the same answer as everywhere.
        find::own(&app, &caller, run_id).await?;
        return Err(Problem::not_found());
    }
    app.relay.committed();
    Ok(StatusCode::NO_CONTENT)
}
