//! Counts a run that has ended, whoever ended it.

use std::time::Duration;

use crate::store::finish::{Finish, Finished};
use crate::telemetry::Metrics;

/// Counts how it ended and how long it took and waited.
pub fn count(metrics: &Metrics, ended: &Finish, finished: &Finished) {
    let verdict = ended.verdict.as_ref();
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    metrics.run_finished(
        ended.status(),
        ended.errors.first().copied(),
        verdict.map(|verdict| verdict.verdict),
        verdict.and_then(|verdict| verdict.doc_type),
        seconds(finished.duration_seconds),
    );
    metrics.queue_wait(seconds(finished.queue_seconds));
    if ended.dead_reason.is_some() {
        metrics.dead_letter("run");
    }
}
