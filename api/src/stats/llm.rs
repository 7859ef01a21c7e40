//! `GET /v1/stats/llm`: the model's calls, tokens and cost.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use chrono::NaiveDate;
use serde::Serialize;
use shared::store::stats::{self, Calls};
use utoipa::ToSchema;

use super::Covered;
use super::question::ask;
use crate::auth::MayRead;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// The model's calls.
#[derive(Debug, Serialize, ToSchema)]
pub struct LlmStats {
    /// What the figures are of.
    #[serde(flatten)]
    pub covered: Covered,
    /// Of each model, on all days together.
    pub items: Vec<CallsView>,
    /// The same of each day with any call, in order.
    pub days: Vec<DayCallsView>,
}

/// A model's calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LlmStatsModel)]
pub struct CallsView {
    /// Which model.
    pub model: String,
    /// How many.
    pub calls: i64,
    /// Whose answer could not be used.
    pub failed: i64,
    /// Tokens of the prompts, as far as told.
    pub prompt_tokens: i64,
    /// Tokens of the answers, as far as told.
    pub completion_tokens: i64,
    /// Tokens in all, as far as told.
    pub total_tokens: i64,
    /// In the currency of the price list; null where no call had a price.
    #[schema(required = true)]
    pub cost: Option<f64>,
    /// What the calls took together.
    pub seconds: f64,
}

/// A model's calls on one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LlmStatsDay)]
pub struct DayCallsView {
    /// Which: that of the run's creation.
    pub day: NaiveDate,
    /// Its calls.
    #[serde(flatten)]
    pub calls: CallsView,
}

/// The model's calls, tokens and cost.
#[utoipa::path(
    get, path = "/v1/stats/llm", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
    ),
    responses(
        (status = 200, description = "Exact figures", body = LlmStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn llm(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<LlmStats>, Problem> {
    let question = ask(&app, &caller, &context, "llm", query.as_deref(), false).await?;
    let (mut items, mut days) = (Vec::new(), Vec::new());
    for calls in stats::llm(&app.read_pool, question.span).await? {
        match calls.day {
            Some(day) => days.push(DayCallsView { day, calls: calls.into() }),
            None => items.push(calls.into()),
        }
    }
    Ok(Json(LlmStats { covered: question.covered, items, days }))
}

impl From<Calls> for CallsView {
    fn from(calls: Calls) -> Self {
        Self {
            model: calls.model,
            calls: calls.calls,
            failed: calls.failed,
            prompt_tokens: calls.prompt_tokens,
            completion_tokens: calls.completion_tokens,
            total_tokens: calls.total_tokens,
            cost: calls.cost,
            seconds: calls.seconds,
        }
    }
}
