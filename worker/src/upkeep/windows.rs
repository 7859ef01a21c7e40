//! Windows of clients' rates that are over are removed, once an hour in the whole fleet.

use std::time::Duration;

use shared::store::{StoreError, duties, rate_windows};

use crate::app::App;

const EVERY: Duration = Duration::from_secs(3600);
const TERM: Duration = Duration::from_secs(60);
/// It ends before somebody else may begin.
pub(super) const WITHIN: Duration = Duration::from_secs(50);

pub(super) async fn remove(app: &App) -> Result<(), StoreError> {
    if !duties::take_due(&app.pool, "windows", &app.name, TERM, EVERY).await? {
        return Ok(());
    }
    let removed = rate_windows::remove_old(&app.pool).await?;
    if removed > 0 {
        app.metrics.upkeep("window", removed);
    }
    duties::done(&app.pool, "windows", &app.name).await
}
