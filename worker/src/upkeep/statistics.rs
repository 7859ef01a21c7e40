//! What runs that ended left for the figures is added up, at every look and some at a time.

use shared::store::{StoreError, stats};

use super::Done;
use crate::app::App;

pub(super) async fn add_up(app: &App) -> Result<Done, StoreError> {
    loop {
        let folded = stats::fold(&app.pool, app.settings.time_zone).await?;
        app.metrics.upkeep("statistics", folded);
        // What came meanwhile is for the next look: only a backlog is worth another batch.
        if folded < stats::BATCH.unsigned_abs() {
            return Ok(Done::ForNow);
        }
    }
}
