//! How many jobs there are in each state: a figure of the whole fleet, counted by whoever keeps house.

use shared::store::StoreError;
use shared::store::jobs::{self, Kind};

use crate::app::App;

pub(super) async fn count(app: &App) -> Result<(), StoreError> {
    let lanes = jobs::count(&app.pool).await?;
    for lane in &lanes {
        app.metrics.set_unclaimed(lane.lane.as_str(), lane.published, lane.oldest_due);
    }
    for kind in Kind::ALL {
        let sum = |of: fn(&jobs::LaneCount) -> i64| lanes.iter().filter(|lane| lane.lane.kind() == kind).map(of).sum();
        app.metrics.set_jobs(kind.as_str(), "waiting", sum(|lane| lane.waiting));
        app.metrics.set_jobs(kind.as_str(), "published", sum(|lane| lane.published));
        app.metrics.set_jobs(kind.as_str(), "leased", sum(|lane| lane.leased));
    }
    Ok(())
}
