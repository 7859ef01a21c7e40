//! `GET /v1/stats/errors`: how often each error came.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde::Serialize;
use shared::domain::ErrorCode;
use shared::store::stats::{self, Codes};
use utoipa::ToSchema;

use super::question::ask;
use super::{Covered, share};
use crate::auth::MayRead;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Errors by frequency.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorStats {
    /// What they are of.
    #[serde(flatten)]
    pub covered: Covered,
    /// Ends of generations, with and without errors.
    pub ended: i64,
    /// The most frequent first.
    pub items: Vec<CodeView>,
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorStatsCode)]
pub struct CodeView {
    /// Stable name.
    pub error_code: String,
    /// Stable integer.
    #[schema(required = true)]
    pub int_code: Option<i32>,
    /// `success` or `error`: the status of runs that have it.
    #[schema(required = true, example = "success")]
    pub status: Option<&'static str>,
    /// `client_error` or `server_error`.
    #[schema(required = true, value_type = Option<String>, example = "client_error")]
    pub category: Option<shared::domain::error_code::Category>,
    /// Ended with it among their errors; one run may have several.
    pub count: i64,
    /// Ended with it as the first, which is a run's `error_code`.
    pub first: i64,
    /// `count` as a part of `ended`.
    #[schema(required = true)]
    pub share: Option<f64>,
}

/// How often each error came.
#[utoipa::path(
    get, path = "/v1/stats/errors", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
    ),
    responses(
        (status = 200, description = "Exact figures", body = ErrorStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn errors(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<ErrorStats>, Problem> {
    let question = ask(&app, &caller, &context, "errors", query.as_deref(), false).await?;
    let (ended, codes) = stats::codes(&app.read_pool, question.span).await?;
    let items = codes.into_iter().map(|codes| view(codes, ended)).collect();
    Ok(Json(ErrorStats { covered: question.covered, ended, items }))
}

fn view(codes: Codes, ended: i64) -> CodeView {
    // A code that this build does not know was counted by a newer one.
    let known: Option<ErrorCode> = codes.code.parse().ok();
    CodeView {
        error_code: codes.code,
        int_code: known.map(ErrorCode::int_code),
        status: known.map(|code| code.status().as_str()),
        category: known.map(ErrorCode::category),
        count: codes.runs,
        first: codes.first,
        share: share(codes.runs, ended),
    }
}
