//! Waiting for the end of a run: `?wait=N` and `Prefer: wait=N`.

use std::time::Duration;

use http::HeaderMap;
use shared::domain::Status;
use shared::store::StoreError;
use shared::store::runs::{self, RunRecord};
use tokio::time::Instant;
use uuid::Uuid;

use crate::live::Waiter;
use crate::problem::{FieldError, Problem};
use crate::state::App;

/// Seconds that a request may wait, at most.
pub const MOST_SECONDS: u64 = 60;

/// `Prefer: wait=N` (RFC 7240): more than a minute counts as one, what cannot be read is no preference.
#[must_use]
pub fn preferred(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(elements);
    let waits = preferences.filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let seconds = value.trim().trim_matches('"');
        let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
        (name.trim().eq_ignore_ascii_case("wait") && digits)
            .then(|| seconds.parse().unwrap_or(MOST_SECONDS).min(MOST_SECONDS))
    });
    // The first of a name counts (RFC 7240, section 2).
    { waits }.next()
}

/// The elements of a header that is a list: commas part them, but not those inside quotes (RFC 9110, 5.6.1).
pub fn elements(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c| {
        let parts = c == ',' && !quoted;
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && quoted && !escaped;
        parts
    })
}

/// `?wait=N` of a query.
///
/// # Errors
/// 422 where it is no number from 0 to 60, or stands more than once.
pub fn asked(query: &str) -> Result<Option<u64>, Problem> {
    let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "wait");
    let Some((_, value)) = found.next() else { return Ok(None) };
    let fault = |message: String| Problem::invalid(vec![FieldError::new("wait", message)]);
    if found.next().is_some() {
        return Err(fault("stands more than once".into()));
    }
    let seconds = whole(&value).filter(|seconds| *seconds <= MOST_SECONDS);
    seconds.map(Some).ok_or_else(|| fault(format!("must be a whole number of seconds from 0 to {MOST_SECONDS}")))
}

/// A whole number in digits; `+5`, which Rust would read too, is none.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Waits until the run has ended and answers its record, whose ever it is; answers what is there when the time
/// is up or the process is asked to end. None: the run is gone.
///
/// The waiter is to be registered before `known` is read, so that an end between the two is not missed.
///
/// # Errors
/// The database is unavailable.
pub async fn ended(
    app: &App,
    run_id: Uuid,
    mut waiter: Waiter,
    known: Option<RunRecord>,
    seconds: u64,
) -> Result<Option<RunRecord>, StoreError> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut known = known;
    loop {
        if known.as_ref().is_some_and(|record| record.status != Status::Processing) {
            return Ok(known);
        }
        let woken = tokio::select! {
            () = waiter.ended() => true,
            () = tokio::time::sleep_until(until) => false,
            () = app.stopping.cancelled() => false,
        };
        known = runs::find(&app.pool, run_id).await?;
        if !woken || known.is_none() {
            return Ok(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefer(value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", value.parse().expect("a value"));
        preferred(&headers)
    }

    #[test]
    fn a_preference_is_read_among_others() {
        assert_eq!(prefer("wait=10"), Some(10));
        assert_eq!(prefer("respond-async, Wait=\"5\"; x=1"), Some(5));
        assert_eq!(prefer("wait=3, wait=9"), Some(3));
        assert_eq!(prefer("x=\"a, wait=1, \\\", wait=2\", wait=9"), Some(9));
    }

    #[test]
    fn more_than_a_minute_is_preferred_as_a_minute_and_nonsense_is_not_preferred() {
        assert_eq!(prefer("wait=600"), Some(60));
        assert_eq!(prefer("wait=99999999999999999999999"), Some(60));
        assert_eq!(prefer("wait=soon"), None);
        assert_eq!(prefer("wait=-1"), None);
        assert_eq!(prefer("wait"), None);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_a_number_up_to_a_minute() {
        assert_eq!(asked("").expect("good"), None);
        assert_eq!(asked("a=b&wait=60").expect("good"), Some(60));
        assert!(
            ["wait=61", "wait=", "wait=x", "wait=-1", "wait=%2B5", "wait=1&wait=1"]
                .iter()
                .all(|query| asked(query).is_err())
        );
    }
}
