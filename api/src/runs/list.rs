//! `GET /v1/runs`: runs, newest first, with filters and a cursor.

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::json;
use shared::access::Scope;
use shared::domain::Status;
use shared::run_view::RunView;
use shared::searched::searched;
use shared::store::{runs, search};
use utoipa::ToSchema;

use super::{cursor, find, list_query, snippet};
use crate::auth::{MayRead, reader};
use crate::problem::{Problem, ProblemBody};
use crate::reads;
use crate::request::RequestContext;
use crate::state::App;

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    /// Newest first.
    pub items: Vec<ListedRun>,
    /// Where the next page begins; null on the last. A page that is not the last may have fewer items than `limit`, or
    /// none: then as much was searched as one answer has time for.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// A run as it is listed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedRun {
    /// The run.
    #[serde(flatten)]
    pub run: RunView,
    /// With `q`: the words that were found and what stands around them, the former in `<mark>`, all else escaped for
    /// HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

/// Lists runs, newest first.
#[utoipa::path(
    get, path = "/v1/runs", tag = "runs",
    params(
        ("status" = Option<Status>, Query),
        ("verdict" = Option<bool>, Query),
        ("error_code" = Option<String>, Query, description = "Any of the run's errors"),
        ("fio" = Option<String>, Query, min_length = 1,
         description = "Part of the applicant's name, any case; ё and е, Kazakh letters and the Russian ones that they look like are alike. One or two letters are a whole word of the name"),
        ("q" = Option<String>, Query, min_length = 1,
         description = "Words in the recognised text, 10 at most, on any page; each must be there. Russian words in any of their forms"),
        ("created_from" = Option<String>, Query, description = "A time (RFC 3339) or a day"),
        ("created_to" = Option<String>, Query, description = "A time (RFC 3339) or a day, included"),
        ("external_request_id" = Option<String>, Query, min_length = 1),
        ("iin" = Option<String>, Query, pattern = "^[0-9]{12}$", description = "12 digits"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = RunList),
        (status = 400, description = "INVALID_CURSOR", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RawQuery(query): RawQuery,
) -> Result<Json<RunList>, Problem> {
    let sees_all = caller.scopes.contains(&Scope::Operator);
    let client_id = (!sees_all).then_some(caller.client_id);
    let asked = query.as_deref().unwrap_or_default();
    let query = list_query::read(asked, client_id, app.rules.time_zone)?;
    // A run is listed as soon as its 202 is out, which a replica cannot promise; text there is only of runs
    // that have finished, so the costly search for words may go to one.
    let pool = if query.filter.words.is_empty() { &app.pool } else { &app.read_pool };
    let page = search::page(pool, &app.searches, &query.filter, query.after, query.limit).await?;
    let next_cursor = page.next.map(|next| cursor::write(next, query.binding));
    let mut records = runs::find_many(&app.pool, &page.run_ids).await?;
    records.retain(|record| !find::expired(&app, record));
    let details = json!({ "filters": searched(asked, app.searched.as_ref()), "runs": records.len() });
    reads::note(&app, &caller, &context, client_id, "runs.searched", details).await?;
    let shown: Vec<_> = records.iter().map(|record| record.run_id).collect();
    let mut snippets = search::snippets(pool, &app.searches, &shown, &query.filter.words).await?;
    let reader = reader(&caller);
    let items = records.into_iter().map(|record| ListedRun {
        snippet: snippets.remove(&record.run_id).map(|found| snippet::marked(&found)),
        run: RunView::new(record, reader),
    });
    Ok(Json(RunList { items: items.collect(), next_cursor }))
}
