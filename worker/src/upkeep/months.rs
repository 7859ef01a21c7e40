//! Partitions are made three months ahead, once an hour in the whole fleet.

use std::time::Duration;

use shared::store::{StoreError, months};

use super::{Done, Duty};
use crate::app::App;

/// When it is done.
pub(super) const DUTY: Duty = Duty {
    name: "months",
    every: Some(Duration::from_secs(3600)),
    term: Duration::from_secs(300),
    within: Duration::from_secs(240),
};

pub(super) async fn make_ahead(app: &App) -> Result<Done, StoreError> {
    let made = months::make_ahead(&app.pool).await?;
    if made > 0 {
        tracing::info!(made, "partitions were made");
        app.metrics.upkeep("partition", u64::try_from(made).unwrap_or(0));
    }
    Ok(Done::Wholly)
}
