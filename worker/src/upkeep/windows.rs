//! Windows of clients' rates that are over are removed, once an hour in the whole fleet.

use std::time::Duration;

use shared::store::{StoreError, rate_windows};

use super::{Done, Duty};
use crate::app::App;

/// When it is done.
pub(super) const DUTY: Duty = Duty {
    name: "windows",
    every: Some(Duration::from_secs(3600)),
    term: Duration::from_secs(60),
    within: Duration::from_secs(50),
};

pub(super) async fn remove(app: &App) -> Result<Done, StoreError> {
    let removed = rate_windows::remove_old(&app.pool).await?;
    if removed > 0 {
        app.metrics.upkeep("window", removed);
    }
    Ok(Done::Wholly)
}
