//! Tells the world that a run has finished.

use shared::ended;
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
    ended::count(&app.metrics, ended, finished);
    tracing::info!(
        status = ended.status().as_str(),
        error_code = ended.errors.first().map(|code| code.as_str()),
        verdict = ended.verdict.as_ref().map(|verdict| verdict.verdict),
        duration_seconds = finished.duration_seconds,
        reason = ended.error_details,
        "a run has finished"
    );
}
