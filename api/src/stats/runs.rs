//! `GET /v1/stats/slow-runs` and `/recent-failures`: the runs behind the figures, without a name or an IIN.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::Status;
use shared::run_view::{Reader, Timings, milliseconds, milliseconds_or_null};
use shared::store::runs::{self, RunRecord};
use shared::store::stats;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Covered;
use super::question::ask;
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::runs::expired;
use crate::state::App;

/// Some runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunStats {
    /// What they were chosen from.
    #[serde(flatten)]
    pub covered: Covered,
    /// The slowest, or the newest, first.
    pub items: Vec<StatsRun>,
}

/// A run, as far as it is worth knowing here.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsRun {
    /// Which.
    pub run_id: Uuid,
    /// Whose run it is; named to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Null on error.
    #[schema(required = true)]
    pub verdict: Option<bool>,
    /// The first of its errors.
    #[schema(required = true)]
    pub error_code: Option<&'static str>,
    /// When it was submitted.
    #[serde(serialize_with = "milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[serde(serialize_with = "milliseconds_or_null")]
    #[schema(required = true)]
    pub completed_at: Option<DateTime<Utc>>,
    /// 1, and one more for each retry.
    pub generation: i32,
    /// Of the newest generation.
    pub attempts: i32,
    /// Pages of the document, where known.
    #[schema(required = true)]
    pub page_count: Option<i32>,
    /// Seconds.
    pub timings: Timings,
}

/// The slowest runs.
#[utoipa::path(
    get, path = "/v1/stats/slow-runs", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 50, description = "1 to 50, 20 unless told"),
    ),
    responses(
        (status = 200, description = "Those that took longest from submission to end, as they stand", body = RunStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn slow_runs(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<RunStats>, Problem> {
    let question = ask(&app, &caller, &context, "slow-runs", query.as_deref(), true).await?;
    let run_ids = stats::slow_runs(&app.read_pool, question.span, question.limit).await?;
    let items = named(&app, &run_ids, reader(&caller)).await?;
    Ok(Json(RunStats { covered: question.covered, items }))
}

/// The newest runs that ended in an error.
#[utoipa::path(
    get, path = "/v1/stats/recent-failures", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 50, description = "1 to 50, 20 unless told"),
    ),
    responses(
        (status = 200, description = "Runs without a verdict, the newest first", body = RunStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn recent_failures(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<RunStats>, Problem> {
    let question = ask(&app, &caller, &context, "recent-failures", query.as_deref(), true).await?;
    let run_ids = stats::recent_failures(&app.read_pool, question.span, question.limit).await?;
    let items = named(&app, &run_ids, reader(&caller)).await?;
    Ok(Json(RunStats { covered: question.covered, items }))
}

/// These runs in this order, as they stand where they were chosen.
async fn named(app: &App, run_ids: &[Uuid], reader: Reader) -> Result<Vec<StatsRun>, Problem> {
    let mut records = runs::find_many(&app.read_pool, run_ids).await?;
    // One that was retried a moment ago is neither slow nor failed any more.
    records.retain(|record| record.status != Status::Processing && !expired(app, record));
    records.sort_by_key(|record| run_ids.iter().position(|run_id| *run_id == record.run_id));
    Ok(records.into_iter().map(|record| view(record, reader)).collect())
}

fn view(record: RunRecord, reader: Reader) -> StatsRun {
    StatsRun {
        run_id: record.run_id,
        client: (reader == Reader::Operator).then_some(record.client),
        status: record.status,
        verdict: record.verdict,
        error_code: record.errors.iter().min_by_key(|error| error.code.int_code()).map(|error| error.code.as_str()),
        created_at: record.created_at,
        completed_at: record.completed_at,
        generation: record.generation,
        attempts: record.attempts,
        page_count: record.page_count,
        timings: Timings {
            queue_seconds: record.queue_seconds,
            ocr_seconds: record.ocr_seconds,
            llm_seconds: record.llm_seconds,
            duration_seconds: record.duration_seconds,
        },
    }
}
