//! How many jobs there are in each state: a figure of the whole fleet, counted by whoever keeps house.

use shared::store::{StoreError, jobs};

use crate::app::App;

pub(super) async fn count(app: &App) -> Result<(), StoreError> {
    for count in jobs::count(&app.pool).await? {
        app.metrics.set_jobs(count.kind.as_str(), count.state, count.jobs);
    }
    Ok(())
}
