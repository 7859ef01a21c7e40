//! `GET /v1/runs/{run_id}/document`: the uploaded file, always as an attachment.

use std::fmt::Write as _;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use shared::documents::Download;

use super::{RunId, find};
use crate::auth::MayRead;
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// Answers the uploaded file.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/document", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "The file as it was uploaded",
            content((Vec<u8> = "application/pdf"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/tiff")),
            headers(("Content-Disposition" = String))),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED, DOCUMENT_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE, STORE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn document(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Response, Problem> {
    let record = find::readable(&app, &caller, &context, run_id, "document.read").await?;
    let stored = app.documents.get(find::document_key(&record, &app.rules.terms)?).await?;
    let media_type = record.content_type.as_deref().unwrap_or("application/octet-stream");
    let disposition = attachment(record.original_filename.as_deref().unwrap_or("document"));
    Ok(([(CONTENT_DISPOSITION, disposition)], streamed(stored, media_type)).into_response())
}

/// An object of the store as it is read. Its kind is what we say and nothing that a browser guesses.
pub(super) fn streamed(stored: Download, media_type: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, media_type.to_owned()),
        (CONTENT_LENGTH, stored.size.to_string()),
        (CACHE_CONTROL, "private, no-store".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Body::from_stream(stored.bytes)).into_response()
}

/// `Content-Disposition` of RFC 6266: the name in ASCII for old readers, and as it is.
fn attachment(filename: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' };
    let ascii: String = filename.chars().map(plain).collect();
    let mut value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''");
    for byte in filename.bytes() {
        // attr-char of RFC 8187
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            write!(value, "%{byte:02X}").expect("a String takes every text");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_both_forms() {
        assert_eq!(attachment("a b.pdf"), "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
        let cyrillic = attachment("приказ \"1\".pdf");
        assert!(cyrillic.starts_with("attachment; filename=\"______ _1_.pdf\"; filename*=UTF-8''%D0%BF"));
        assert!(cyrillic.is_ascii() && !cyrillic.contains('\n'));
    }
}
