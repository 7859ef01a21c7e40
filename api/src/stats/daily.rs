//! `GET /v1/stats/daily`: how many ended, and how: by day, hour of the day and type of document.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use chrono::NaiveDate;
use serde::Serialize;
use shared::store::stats::{self, DayCounts, Span};
use utoipa::ToSchema;

use super::question::ask;
use super::{Covered, share};
use crate::auth::MayRead;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Figures by day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DailyStats {
    /// What they are of.
    #[serde(flatten)]
    pub covered: Covered,
    /// Every day, in order, also those without any run.
    pub items: Vec<DayView>,
    /// All days together.
    pub total: CountsView,
    /// Hours of the day (0 to 23) with anything, over all days.
    pub hours: Vec<HourView>,
    /// Outcomes by type of document, the most frequent first.
    pub document_types: Vec<DocTypeView>,
}

/// A day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DailyStatsDay)]
pub struct DayView {
    /// Which.
    pub day: NaiveDate,
    /// What was counted.
    #[serde(flatten)]
    pub counts: CountsView,
}

/// What is counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatsCounts)]
pub struct CountsView {
    /// Ends of generations: a run that was retried ended more than once.
    pub ended: i64,
    /// Runs that ended.
    pub runs: i64,
    /// Ends that were not a run's first.
    pub retries: i64,
    /// With a verdict.
    pub success: i64,
    /// With the verdict true.
    pub accepted: i64,
    /// With the verdict false.
    pub refused: i64,
    /// Without a verdict.
    pub error: i64,
    /// Part of `ended` that had a verdict; null where nothing ended.
    #[schema(required = true)]
    pub success_rate: Option<f64>,
    /// Part of `success` with the verdict true; null where there was none.
    #[schema(required = true)]
    pub accepted_rate: Option<f64>,
    /// Runs with the same file as an earlier one of the client.
    pub duplicates: i64,
    /// Pages of what had a verdict.
    pub pages: i64,
}

/// An hour of the day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatsHour)]
pub struct HourView {
    /// 0 to 23.
    pub hour: i16,
    /// Ends of generations.
    pub ended: i64,
    /// Without a verdict.
    pub error: i64,
}

/// A type of document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatsDocumentType)]
pub struct DocTypeView {
    /// Its title; null where no type was found.
    #[schema(required = true)]
    pub doc_type: Option<String>,
    /// With the verdict true.
    pub accepted: i64,
    /// With the verdict false.
    pub refused: i64,
    /// Without a verdict.
    pub error: i64,
}

/// Counts by day.
#[utoipa::path(
    get, path = "/v1/stats/daily", tag = "statistics",
    params(
        ("created_from" = Option<String>, Query, description = "The first day, or a time (RFC 3339) on it"),
        ("created_to" = Option<String>, Query, description = "The last day, included, or a time (RFC 3339) on it"),
        ("client" = Option<String>, Query, description = "A client's name; operators only"),
    ),
    responses(
        (status = 200, description = "Exact figures", body = DailyStats),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn daily(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<DailyStats>, Problem> {
    let question = ask(&app, &caller, &context, "daily", query.as_deref(), false).await?;
    let figures = stats::daily(&app.read_pool, question.span).await?;
    let total = figures.days.iter().copied().reduce(together).unwrap_or_default();
    let hour = |hour: stats::HourCounts| HourView { hour: hour.hour, ended: hour.ended, error: hour.errors };
    let doc_type = |of: stats::DocType| DocTypeView {
        doc_type: of.doc_type,
        accepted: of.accepted,
        refused: of.refused,
        error: of.errors,
    };
    Ok(Json(DailyStats {
        covered: question.covered,
        items: every_day(question.span, &figures.days),
        total: CountsView::from(total),
        hours: figures.hours.into_iter().map(hour).collect(),
        document_types: figures.doc_types.into_iter().map(doc_type).collect(),
    }))
}

/// The days of a span, those with nothing too: a chart has no gaps then.
fn every_day(span: Span, counted: &[DayCounts]) -> Vec<DayView> {
    let counted: BTreeMap<NaiveDate, DayCounts> = counted.iter().map(|counts| (counts.day, *counts)).collect();
    let days = span.from.iter_days().take_while(|day| *day <= span.to);
    days.map(|day| DayView { day, counts: counted.get(&day).copied().unwrap_or_default().into() }).collect()
}

fn together(one: DayCounts, other: DayCounts) -> DayCounts {
    DayCounts {
        day: one.day,
        ended: one.ended + other.ended,
        retries: one.retries + other.retries,
        accepted: one.accepted + other.accepted,
        refused: one.refused + other.refused,
        errors: one.errors + other.errors,
        duplicates: one.duplicates + other.duplicates,
        pages: one.pages + other.pages,
    }
}

impl From<DayCounts> for CountsView {
    fn from(counts: DayCounts) -> Self {
        let success = counts.accepted + counts.refused;
        Self {
            ended: counts.ended,
            runs: counts.ended - counts.retries,
            retries: counts.retries,
            success,
            accepted: counts.accepted,
            refused: counts.refused,
            error: counts.errors,
            success_rate: share(success, counts.ended),
            accepted_rate: share(counts.accepted, success),
            duplicates: counts.duplicates,
            pages: counts.pages,
        }
    }
}
