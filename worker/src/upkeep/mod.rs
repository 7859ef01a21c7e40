//! Keeping house: what one worker of the fleet does for all. Each part is a duty in the table `duties`.

mod counts;
mod dead_letters;
mod endings;
mod missing;
mod months;
mod strays;

use std::time::Duration;

use shared::store::{StoreError, duties, jobs};

use crate::app::{App, Shared};

/// How often upkeep looks. With a lease of 30 s the work of a killed worker begins again within 40 s.
const PERIOD: Duration = Duration::from_secs(5);
/// How long upkeep's duty is held: a holder that dies is followed after three looks.
const TERM: Duration = Duration::from_secs(15);

/// Keeps house until the worker stops.
pub async fn keep_house(app: Shared) {
    let mut missing = missing::Looks::default();
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = look(&app, &mut missing).await {
            tracing::warn!(%error, "upkeep cannot look");
        }
    }
}

async fn look(app: &App, missing: &mut missing::Looks) -> Result<(), StoreError> {
    if !duties::take(&app.pool, "upkeep", &app.name, TERM).await? {
        missing.forget();
        app.metrics.forget_fleet();
        return Ok(());
    }
    expire_leases(app).await?;
    endings::end_runs(app).await?;
    missing.publish_again(app).await?;
    dead_letters::keep(app).await?;
    counts::count(app).await?;
    months::make_ahead(app).await?;
    strays::remove(app).await
}

async fn expire_leases(app: &App) -> Result<(), StoreError> {
    let expired = jobs::expire_leases(&app.pool, app.settings.timing.max_attempts()).await?;
    if expired > 0 {
        tracing::warn!(expired, "leases ran out; their jobs are due again");
        app.metrics.lease_expiries(expired);
        app.relay.committed();
    }
    Ok(())
}
