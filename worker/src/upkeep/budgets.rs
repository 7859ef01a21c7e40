//! Clients that have spent most of their budget, or all of it: told once a month each, and counted.

use shared::store::{StoreError, budgets};

use super::Done;
use crate::app::App;

pub(super) async fn look(app: &App) -> Result<Done, StoreError> {
    let (mut within, mut near, mut spent) = (0, 0, 0);
    for of in budgets::all(&app.pool, None, app.settings.time_zone).await? {
        for percent in budgets::THRESHOLDS {
            if of.standing.has_reached(percent)
                && !of.told.contains(&percent)
                && budgets::tell(&app.pool, &of, percent, &app.name).await?
            {
                tracing::warn!(client_id = %of.client_id, percent, "a client's budget for the model is used up so far");
            }
        }
        match () {
            () if of.standing.is_spent() => spent += 1,
            () if of.standing.has_reached(80) => near += 1,
            () => within += 1,
        }
    }
    app.metrics.set_budgets(within, near, spent);
    Ok(Done::ForNow)
}
