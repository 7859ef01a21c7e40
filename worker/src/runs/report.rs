//! Tells the world that a run has finished.

use std::time::Duration;

use shared::queue::events::{RunEvent, What};
use shared::store::finish::{Finish, Finished};
use uuid::Uuid;

use crate::app::App;

/// Wakes who waits for the run and whatever is owed next, counts it and writes its one line.
pub(crate) fn finished(app: &App, run_id: Uuid, ended: &Finish, finished: &Finished) {
    app.events.send(RunEvent { run_id, what: What::Finished });
    if finished.callback_owed {
        app.relay.committed();
    }
    let (error, verdict) = (ended.errors.first().copied(), ended.verdict.as_ref());
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    app.metrics.run_finished(
        ended.status(),
        error,
        verdict.map(|verdict| verdict.verdict),
        verdict.and_then(|verdict| verdict.doc_type),
        seconds(finished.duration_seconds),
    );
    app.metrics.queue_wait(seconds(finished.queue_seconds));
    if ended.dead_reason.is_some() {
        app.metrics.dead_letter("run");
    }
    tracing::info!(
        status = ended.status().as_str(),
        error_code = error.map(|code| code.as_str()),
        verdict = verdict.map(|verdict| verdict.verdict),
        duration_seconds = finished.duration_seconds,
        reason = ended.error_details,
        "a run has finished"
    );
}
