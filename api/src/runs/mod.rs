//! The routes under `/v1/runs`, one file for each.

mod audit;
mod callbacks;
mod cancel;
mod create;
mod cursor;
mod delete;
mod document;
mod events;
mod find;
mod get;
mod list;
mod list_query;
mod llm_calls;
mod pages;
mod redeliver;
mod retry;
mod snippet;
mod stage_log;

use shared::run_view::Reader;
use shared::store::runs::RunRecord;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

pub use events::COMMENT;
pub use find::{RunId, expired};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(get::get, delete::delete))
        .routes(routes!(events::events))
        .routes(routes!(document::document))
        .routes(routes!(pages::pages))
        .routes(routes!(pages::image))
        .routes(routes!(llm_calls::llm_calls))
        .routes(routes!(callbacks::callbacks))
        .routes(routes!(audit::audit))
        .routes(routes!(redeliver::redeliver))
        .routes(routes!(retry::retry))
        .routes(routes!(cancel::cancel))
}

/// What a submission and a retry are answered with.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// The run.
    pub run_id: uuid::Uuid,
    /// `processing`.
    pub status: shared::domain::Status,
    /// The time inside `run_id`.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// What a list of a run's parts is answered with.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Items<T> {
    /// Whose run it is; named to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// All of them.
    pub items: Vec<T>,
}

/// Whose run it is, as far as this reader is told.
fn named_client(record: &RunRecord, reader: Reader) -> Option<String> {
    (reader == Reader::Operator).then(|| record.client.clone())
}

impl Accepted {
    /// 202, with where to look and when.
    fn answer(&self) -> axum::response::Response {
        use axum::response::IntoResponse;
        use http::header::{LOCATION, RETRY_AFTER};
        let location = format!("/v1/runs/{}", self.run_id);
        (http::StatusCode::ACCEPTED, [(LOCATION, location), (RETRY_AFTER, "1".into())], axum::Json(self))
            .into_response()
    }
}
