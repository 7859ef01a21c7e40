//! `POST /v1/runs/{run_id}/retry`: a new generation of a run that ended in a retryable error.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use shared::domain::Status;
use shared::store::retry::{self, Retrier};

use super::{Accepted, RunId, find};
use crate::auth::MaySubmit;
use crate::problem::{Code, Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Tries a run again.
#[utoipa::path(
    post, path = "/v1/runs/{run_id}/retry", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 202, description = "It is processing again", body = Accepted),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "RUN_NOT_FINISHED, RUN_NOT_RETRYABLE", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED, DOCUMENT_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn retry(
    State(app): State<App>,
    MaySubmit(caller): MaySubmit,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Response, Problem> {
    let record = find::own(&app, &caller, run_id).await?;
    if record.status == Status::Processing {
        return Err(Problem::new(Code::RunNotFinished, "The run is still processing."));
    }
    let retryable = record.status == Status::Error && record.errors.iter().any(|error| error.code.retryable());
    let refused = || Problem::new(Code::RunNotRetryable, "The run did not end in a retryable error.");
    if !retryable {
        return Err(refused());
    }
    find::document_key(&record, &app.rules.terms)?;
    let retrier = Retrier {
        actor: &caller.key_id.to_string(),
        operator: false,
        ip_address: context.ip_address,
        trace_context: &context.trace.to_string(),
        max_age: app.rules.run_max_age,
    };
    // None: another request was faster.
    retry::begin(&app.pool, run_id, caller.client_id, &retrier).await?.ok_or_else(refused)?;
    app.relay.committed();
    Ok(Accepted { run_id, status: Status::Processing, created_at: record.created_at }.answer())
}
