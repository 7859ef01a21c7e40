//! `POST /v1/runs/{run_id}/cancel`: ends a run that is processing, now.

use axum::extract::State;
use axum::{Extension, Json};
use shared::ended;
use shared::queue::events::{RunEvent, What};
use shared::run_view::RunView;
use shared::store::cancel::{self, Canceller};
use shared::store::finish::Finished;
use uuid::Uuid;

use super::{RunId, find};
use crate::auth::{MaySubmit, reader};
use crate::problem::{Code, Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Ends a run with CANCELLED, also one that is being worked on.
#[utoipa::path(
    post, path = "/v1/runs/{run_id}/cancel", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "It has ended with CANCELLED", body = RunView),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "RUN_FINISHED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn cancel(
    State(app): State<App>,
    MaySubmit(caller): MaySubmit,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Json<RunView>, Problem> {
    let actor = caller.key_id.to_string();
    let canceller = Canceller { actor: &actor, ip_address: context.ip_address };
    let cancelled = cancel::cancel(&app.pool, run_id, caller.client_id, &canceller).await?;
    let Some(finished) = cancelled else {
        // Unknown, another's or erased: the same answer as everywhere.
        find::own(&app, &caller, run_id).await?;
        return Err(Problem::new(Code::RunFinished, "The run had ended already."));
    };
    told(&app, run_id, &actor, &finished);
    Ok(Json(RunView::new(find::own(&app, &caller, run_id).await?, reader(&caller))))
}

/// Wakes who waits for the run, here and at the other api processes, and whatever is owed next.
fn told(app: &App, run_id: Uuid, actor: &str, finished: &Finished) {
    let event = RunEvent { run_id, what: What::Finished };
    app.hub.dispatch(event.clone());
    (app.tell)(event);
    if finished.callback_owed {
        app.relay.committed();
    }
    ended::count(&app.metrics, &cancel::ending(actor), finished);
    tracing::info!(%run_id, "a run was cancelled");
}
