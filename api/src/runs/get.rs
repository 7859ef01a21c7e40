//! `GET /v1/runs/{run_id}`: the run, at once or when it has finished.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use shared::hex::hex;
use shared::run_view::RunView;
use shared::store::runs;

use super::{RunId, find};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;
use crate::wait;

/// Answers a run.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}", tag = "runs",
    params(
        ("run_id" = uuid::Uuid, Path),
        ("wait" = Option<u64>, Query, minimum = 0, maximum = 60, description = "Waits up to so many seconds (60 at most) for the run to finish"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag of before"),
    ),
    responses(
        (status = 200, description = "The run", body = RunView, headers(("ETag" = String))),
        (status = 304, description = "As it was", headers(("ETag" = String))),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn get(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seconds = wait::asked(query.as_deref().unwrap_or_default())?.filter(|seconds| *seconds > 0);
    // A waiter registers first, then reads; where there is no room for one the answer is at once.
    let waiter = seconds.and_then(|seconds| Some((seconds, app.hub.register(run_id)?)));
    let found = runs::find(&app.pool, run_id).await?;
    let mut record = find::known(&app, found, &caller, run_id, true).await?;
    find::audited(&app, &caller, &context, &record, "run.read").await?;
    if let Some((seconds, waiter)) = waiter {
        let later = wait::ended(&app, run_id, waiter, Some(record), seconds).await?;
        record = find::known(&app, later, &caller, run_id, true).await?;
    }
    let body = serde_json::to_vec(&RunView::new(record, reader(&caller))).expect("a run is JSON");
    let etag = etag(&body);
    let headers_out = [(ETAG, etag.as_str()), (CACHE_CONTROL, "private, no-cache")];
    if headers.get_all(IF_NONE_MATCH).into_iter().any(|value| value.to_str().is_ok_and(|value| matches(value, &etag))) {
        return Ok((StatusCode::NOT_MODIFIED, headers_out).into_response());
    }
    Ok((headers_out, [(CONTENT_TYPE, "application/json")], body).into_response())
}

/// A strong tag: it changes exactly with the bytes.
fn etag(body: &[u8]) -> String {
    let hash = Sha256::digest(body);
    format!("\"{}\"", hex(&hash[..16]))
}

/// Whether `If-None-Match` names the tag; compared weakly (RFC 9110, 13.1.2).
fn matches(header: &str, etag: &str) -> bool {
    header.trim() == "*"
        || wait::elements(header).map(str::trim).any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_that_of_its_bytes_and_found_among_others() {
        let tag = etag(b"one");
        assert_ne!(tag, etag(b"two"));
        assert!(matches(&format!("\"x\", W/{tag}"), &tag));
        assert!(matches("*", &tag));
        assert!(!matches("\"x\"", &tag));
        assert!(!matches("\"a, *, b\"", &tag), "a star inside a tag is no star");
    }
}
