//! `GET /v1/stats/latency`: how long runs took, and of that queue, OCR and model.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use chrono::NaiveDate;
use serde::Serialize;
use shared::store::stats::{self, Latency, Measure, PERCENTILE_ERROR};
use utoipa::ToSchema;

use super::Covered;
use super::question::ask;
use crate::auth::MayRead;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// How long things took.
#[derive(Debug, Serialize, ToSchema)]
pub struct LatencyStats {
    /// What the figures are of.
    #[serde(flatten)]
    pub covered: Covered,
    /// How good percentiles are.
    pub percentiles: Percentiles,
    /// `duration`, `queue`, `ocr` and `llm`, of all days together.
    pub items: Vec<SpanView>,
    /// The same of each day with anything, in order.
    pub days: Vec<DaySpanView>,
}

/// How good percentiles are.
#[derive(Debug, Serialize, ToSchema)]
pub struct Percentiles {
    /// Counts and sums are exact; percentiles come from histograms on a logarithmic scale.
    #[schema(example = "log_histogram")]
    pub method: &'static str,
    /// How far one may be from the true one, as a part of it.
    #[schema(example = 0.02)]
    pub max_relative_error: f64,
}

/// How long one thing took. Seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LatencyStatsMeasure)]
pub struct SpanView {
    /// `duration`: from submission to end; `queue`: not worked on; `ocr`; `llm`.
    pub measure: &'static str,
    /// Ends of which it is known.
    pub count: i64,
    /// Exact.
    pub sum_seconds: f64,
    /// Exact; null where there is none, as the next ones.
    #[schema(required = true)]
    pub average_seconds: Option<f64>,
    /// Half took no longer.
    #[schema(required = true)]
    pub p50_seconds: Option<f64>,
    /// Nine of ten took no longer.
    #[schema(required = true)]
    pub p90_seconds: Option<f64>,
    /// 99 of 100 took no longer.
    #[schema(required = true)]
    pub p99_seconds: Option<f64>,
}

/// How long one thing took on one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LatencyStatsDay)]
pub struct DaySpanView {
    /// Which.
    pub day: NaiveDate,
    /// What it took.
    #[serde(flatten)]
    pub took: SpanView,
}

/// How long runs took.
#[utoipa::path(
    get, path = "/v1/stats/latency", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
    ),
    responses(
        (status = 200, description = "Counts and sums are exact, percentiles at most 2 % off", body = LatencyStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn latency(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<LatencyStats>, Problem> {
    let question = ask(&app, &caller, &context, "latency", query.as_deref(), false).await?;
    let rows = stats::latency(&app.read_pool, question.span).await?;
    let of = |measure: Measure, day: Option<NaiveDate>| {
        rows.iter().find(|row| row.day == day && row.measure == measure.as_str())
    };
    let items = Measure::ALL.map(|measure| view(measure, of(measure, None)));
    let named = |row: &Latency| Measure::ALL.into_iter().find(|measure| measure.as_str() == row.measure);
    let days = rows.iter().filter_map(|row| {
        let (day, measure) = row.day.zip(named(row))?;
        Some(DaySpanView { day, took: view(measure, Some(row)) })
    });
    Ok(Json(LatencyStats {
        covered: question.covered,
        percentiles: Percentiles { method: "log_histogram", max_relative_error: PERCENTILE_ERROR },
        items: items.into(),
        days: days.collect(),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "counts of runs are far below 2^52")]
fn view(measure: Measure, row: Option<&Latency>) -> SpanView {
    SpanView {
        measure: measure.as_str(),
        count: row.map_or(0, |row| row.runs),
        sum_seconds: row.map_or(0.0, |row| row.sum),
        average_seconds: row.map(|row| row.sum / row.runs as f64),
        p50_seconds: row.map(|row| row.p50),
        p90_seconds: row.map(|row| row.p90),
        p99_seconds: row.map(|row| row.p99),
    }
}
