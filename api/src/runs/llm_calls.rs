//! `GET /v1/runs/{run_id}/llm-calls`: the model's calls with tokens, time and cost.

use axum::extract::State;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::store::llm_calls::{self, CallRow};
use utoipa::ToSchema;

use super::{Items, RunId, find, named_client};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// One call of the model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LlmCall)]
pub struct CallView {
    /// `doc_type_check` or `extractor`.
    pub call_type: String,
    /// Which model.
    pub model: String,
    /// When it began.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_seconds: f64,
    /// Tokens of the prompt.
    #[schema(required = true)]
    pub prompt_tokens: Option<i32>,
    /// Tokens of the answer.
    #[schema(required = true)]
    pub completion_tokens: Option<i32>,
    /// Tokens in all.
    #[schema(required = true)]
    pub total_tokens: Option<i32>,
    /// In the currency of the price list; null where no price is set.
    #[schema(required = true)]
    pub cost: Option<f64>,
    /// `ok`, or why the answer could not be used.
    pub outcome: String,
    /// Which generation of the run.
    pub generation: i32,
}

/// Answers the model's calls.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/llm-calls", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The calls of the newest generation", body = Items<CallView>),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn llm_calls(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Json<Items<CallView>>, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "llm_calls.read").await?;
    let rows = llm_calls::list(&app.pool, run_id, record.generation).await?;
    Ok(Json(Items {
        client: named_client(&record, reader(&caller)),
        items: rows.into_iter().map(CallView::from).collect(),
    }))
}

impl From<CallRow> for CallView {
    fn from(row: CallRow) -> Self {
        Self {
            call_type: row.call_type,
            model: row.model,
            started_at: row.started_at,
            duration_seconds: row.duration_seconds,
            prompt_tokens: row.prompt_tokens,
            completion_tokens: row.completion_tokens,
            total_tokens: row.total_tokens,
            cost: row.cost,
            outcome: row.outcome,
            generation: row.generation,
        }
    }
}
