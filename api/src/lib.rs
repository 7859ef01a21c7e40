//! Intake, polling and search of RB-OCR over HTTP.

pub mod auth;
pub mod backlog;
mod forwarded;
mod health;
mod intake;
pub mod key_cache;
pub mod live;
mod openapi;
pub mod problem;
pub mod rate_limit;
pub mod request;
mod runs;
pub mod server;
pub mod state;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

pub use health::StoreAnswer;

use crate::problem::{Code, Problem};
use crate::state::App;

/// Every route.
pub fn router(app: App) -> Router {
    let routes =
        OpenApiRouter::with_openapi(openapi::Description::openapi()).merge(runs::router()).merge(health::router());
    let (router, description) = routes.split_for_parts();
    router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", description))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "There is no such method here; `Allow` names those that there are.")
        })
        .layer(from_fn_with_state(Arc::clone(&app), request::surround))
        .with_state(app)
}
