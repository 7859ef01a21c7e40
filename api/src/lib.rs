//! Intake, polling and search of RB-OCR over HTTP.

pub mod auth;
pub mod backlog;
mod connection;
mod forwarded;
mod health;
mod intake;
pub mod key_cache;
pub mod live;
mod openapi;
pub mod problem;
pub mod rate_limit;
pub mod reads;
pub mod request;
mod runs;
pub mod server;
pub mod state;
mod stats;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub use health::StoreAnswer;
pub use runs::COMMENT;

use crate::problem::{Code, Problem};
use crate::state::App;

/// The reader of the description. Unless told it would ask a server on the Internet what it thinks of it.
fn docs(description: utoipa::openapi::OpenApi) -> SwaggerUi {
    SwaggerUi::new("/docs").url("/openapi.json", description).config(Config::default().validator_url("none"))
}

/// Every route.
pub fn router(app: App) -> Router {
    health::feed_metrics(&app);
    let routes = OpenApiRouter::with_openapi(openapi::Description::openapi())
        .merge(runs::router())
        .merge(stats::router())
        .merge(health::router());
    let (router, description) = routes.split_for_parts();
    router
        .merge(docs(description))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "There is no such method here; `Allow` names those that there are.")
        })
        .layer(from_fn_with_state(Arc::clone(&app), request::surround))
        .with_state(app)
}
