//! Finds the run that a request names, as far as its caller may know of it.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use shared::access::Scope;
use shared::domain::terms::Terms;
use shared::store::api_keys::Caller;
use shared::store::audit::Read;
use shared::store::erasures::{self, Fate};
use shared::store::runs::{self, RunRecord};
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::reads;
use crate::request::RequestContext;
use crate::state::App;

/// The `run_id` of a path; what is no id names nothing.
pub struct RunId(pub Uuid);

impl FromRequestParts<App> for RunId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let named = Path::<Named>::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
        id(&named.run_id).map(Self).ok_or_else(Problem::not_found)
    }
}

#[derive(serde::Deserialize)]
struct Named {
    run_id: String,
}

/// An id as callers are told it, in any case. The other forms that a UUID may have name nothing: a run has
/// one address.
fn id(text: &str) -> Option<Uuid> {
    (text.len() == uuid::fmt::Hyphenated::LENGTH).then(|| text.parse().ok()).flatten()
}

/// A run that this caller may read: its own, or any for an operator. That it looked is kept, as `action`.
///
/// # Errors
/// 404 for an unknown run and another's alike; 410 for one that is erased or past its term; 503.
pub async fn readable(
    app: &App,
    caller: &Caller,
    context: &RequestContext,
    run_id: Uuid,
    action: &'static str,
) -> Result<RunRecord, Problem> {
    let record = known(app, runs::find(&app.pool, run_id).await?, caller, run_id, true).await?;
    audited(app, caller, context, &record, action).await?;
    Ok(record)
}

/// Keeps that a caller looked at a run, or at a part of it.
///
/// # Errors
/// 503: what cannot be kept is not shown.
pub async fn audited(
    app: &App,
    caller: &Caller,
    context: &RequestContext,
    record: &RunRecord,
    action: &'static str,
) -> Result<(), Problem> {
    let (client_id, actor, run_id) = (record.client_id, caller.key_id, record.run_id);
    reads::keep(app, Read { client_id, actor, action, run_id, ip_address: context.ip_address }).await
}

/// A run that this caller may change: its own.
///
/// # Errors
/// As [`readable`].
pub async fn own(app: &App, caller: &Caller, run_id: Uuid) -> Result<RunRecord, Problem> {
    known(app, runs::find(&app.pool, run_id).await?, caller, run_id, false).await
}

/// Judges a run that was looked up.
///
/// # Errors
/// As [`readable`].
pub async fn known(
    app: &App,
    found: Option<RunRecord>,
    caller: &Caller,
    run_id: Uuid,
    reading: bool,
) -> Result<RunRecord, Problem> {
    let sees_all = reading && caller.scopes.contains(&Scope::Operator);
    let sees = |client_id| client_id == caller.client_id || sees_all;
    let Some(record) = found else {
        let fate = erasures::fate_of(&app.pool, run_id).await?;
        return Err(match fate.filter(|(client_id, _)| sees(*client_id)) {
            Some((_, Fate::Erased)) => Problem::new(Code::RunErased, "The run was erased."),
            Some((_, Fate::Archived)) => past_its_term(),
            None => Problem::not_found(),
        });
    };
    if !sees(record.client_id) {
        return Err(Problem::not_found());
    }
    if expired(app, &record) {
        return Err(past_its_term());
    }
    Ok(record)
}

fn past_its_term() -> Problem {
    Problem::new(Code::RunExpired, "The run is past its term.")
}

/// The key of the run's document.
///
/// # Errors
/// 410 where the document is gone or past its term.
pub fn document_key<'a>(record: &'a RunRecord, terms: &Terms) -> Result<&'a str, Problem> {
    let expired = terms.at(record.read_at).document_is_past(record.counts_from());
    match record.document_key.as_deref().filter(|_| !expired) {
        Some(key) => Ok(key),
        None => Err(Problem::new(Code::DocumentExpired, "The document is past its term.")),
    }
}

/// Whether a run is past its term: as good as gone, whether or not it was deleted yet.
pub fn expired(app: &App, record: &RunRecord) -> bool {
    app.rules.terms.at(record.read_at).run_is_past(record.status, record.counts_from())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_address() {
        let text = "019ab0c4-7f2a-7000-8000-00000000000a";
        assert!(id(text).is_some() && id(&text.to_uppercase()).is_some());
        for other in ["", "x", &text.replace('-', ""), &format!("{{{text}}}"), &format!("urn:uuid:{text}")] {
            assert!(id(other).is_none(), "{other}");
        }
    }
}
