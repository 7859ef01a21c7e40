//! What is past its term leaves the disk, once a day in the whole fleet. It holds its duty from step to step, so that a
//! worker that dies is followed in minutes; whatever it was about is begun anew.

use std::time::Duration;

use shared::archive::ArchiveError;
use shared::retention::{self, Keeper};
use shared::store::{StoreError, duties};

use super::{Done, Duty};
use crate::app::App;

/// When it is done; what it has not come to is done by the next look, which follows soon.
pub(super) const DUTY: Duty = Duty {
    name: retention::DUTY,
    every: Some(Duration::from_secs(24 * 3600)),
    term: retention::TERM,
    within: Duration::from_secs(3 * 3600),
};

pub(super) async fn keep(app: &App) -> Result<Done, StoreError> {
    let scratch = match tempfile::Builder::new().prefix("retention-").tempdir_in(app.scratch.place()) {
        Ok(scratch) => scratch,
        Err(error) => {
            tracing::warn!(%error, "there is no folder for the archive");
            return Ok(Done::ForNow);
        }
    };
    let metrics = app.metrics.clone();
    let terms = app.settings.terms();
    let keeper =
        Keeper::new(app.pool.clone(), app.documents.clone(), scratch.path(), terms, &app.name, app.stop.clone());
    let keeper = keeper.telling(move |step| {
        metrics.retention_step(step.what, step.count);
        let month = step.month.map(|month| month.format("%Y-%m").to_string());
        tracing::info!(what = step.what, month, count = step.count, "retention has done a step");
    });
    let kept = keeper.keep().await;
    app.relay.committed();
    match kept {
        Ok(report) => {
            for failure in &report.failures {
                tracing::error!(failure, "retention cannot do a part");
            }
            app.metrics.retention_ended(report.failures.is_empty());
            tracing::info!(
                documents = report.documents,
                archived = report.archived,
                deleted = report.deleted,
                months = report.dropped,
                failures = report.failures.len(),
                "retention has done what is due"
            );
            Ok(if report.again { Done::ForNow } else { Done::Wholly })
        }
        Err(ArchiveError::Stopped) => {
            duties::release(&app.pool, retention::DUTY, &app.name).await?;
            Ok(Done::ForNow)
        }
        Err(error) => {
            tracing::warn!(%error, "retention cannot go on now");
            app.metrics.retention_ended(false);
            Ok(Done::ForNow)
        }
    }
}
