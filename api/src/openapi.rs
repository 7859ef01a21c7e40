//! The description of the api, generated from the code: OpenAPI 3.1 at `/openapi.json`, its reader at `/docs`.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What the routes do not say themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "RB-OCR",
        description = "Verifies scanned documents: the file and the applicant's name in, a verdict with its reasons out."
    ),
    tags(
        (name = "runs", description = "Submissions and what came of them"),
        (name = "callbacks", description = "What callers were told"),
        (name = "statistics", description = "Figures of what ended"),
        (name = "operation", description = "Whether it lives, and how it does"),
    ),
    security(("api_key" = [])),
    modifiers(&ApiKey)
)]
pub struct Description;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A key that `rb-ocr keys create` made."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
    }
}
