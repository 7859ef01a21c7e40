//! Partitions are made three months ahead, once an hour in the whole fleet.

use std::time::Duration;

use shared::store::{StoreError, duties, months};

use crate::app::App;

const EVERY: Duration = Duration::from_secs(3600);
const TERM: Duration = Duration::from_secs(300);
/// It ends before somebody else may begin.
pub(super) const WITHIN: Duration = Duration::from_secs(240);

pub(super) async fn make_ahead(app: &App) -> Result<(), StoreError> {
    if !duties::take_due(&app.pool, "months", &app.name, TERM, EVERY).await? {
        return Ok(());
    }
    let made = months::make_ahead(&app.pool).await?;
    if made > 0 {
        tracing::info!(made, "partitions were made");
        app.metrics.upkeep("partition", u64::try_from(made).unwrap_or(0));
    }
    duties::done(&app.pool, "months", &app.name).await
}
