//! `GET /v1/runs/{run_id}/pages` and `…/pages/{page_number}/image`: what was read, and what was read from.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use shared::store::pages;
use utoipa::ToSchema;

use super::document::streamed;
use super::{Items, RunId, find, named_client};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;
use crate::wait::whole;

/// One page of recognised text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub struct PageView {
    /// From 1.
    pub page_number: i32,
    /// Lines parted by a line feed.
    pub text_content: String,
    /// Mean confidence of the words, 0 to 1; null where the engine gives none.
    #[schema(required = true)]
    pub confidence: Option<f32>,
    /// `text_layer`, `tesseract` or `http`.
    pub source: String,
}

/// Answers the recognised text by page.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/pages", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The pages of the newest generation; none while it is processing", body = Items<PageView>),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn pages(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Json<Items<PageView>>, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "pages.read").await?;
    let rows = pages::list(&app.pool, run_id, record.generation).await?;
    let view = |row: pages::PageRow| PageView {
        page_number: row.page_number,
        text_content: row.text_content,
        confidence: row.confidence,
        source: row.source,
    };
    Ok(Json(Items { client: named_client(&record, reader(&caller)), items: rows.into_iter().map(view).collect() }))
}

/// Which page.
#[derive(Deserialize)]
pub struct PagePath {
    page_number: String,
}

/// Answers the upright page as a JPEG, 1,600 pixels at most.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/pages/{page_number}/image", tag = "runs",
    params(("run_id" = uuid::Uuid, Path), ("page_number" = u32, Path, minimum = 1, description = "From 1")),
    responses(
        (status = 200, description = "The page", content_type = "image/jpeg", body = Vec<u8>),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED, DOCUMENT_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE, STORE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn image(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
    path: Result<Path<PagePath>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "page_image.read").await?;
    let Path(PagePath { page_number }) = path.map_err(|_| Problem::not_found())?;
    let page_number =
        whole(&page_number).and_then(|number| i32::try_from(number).ok()).ok_or_else(Problem::not_found)?;
    // The picture goes with the document.
    find::document_key(&record, &app.rules.terms)?;
    let key = pages::image_key(&app.pool, run_id, record.generation, page_number).await?;
    let stored = app.documents.get(&key.ok_or_else(Problem::not_found)?).await?;
    Ok(streamed(stored, "image/jpeg"))
}
