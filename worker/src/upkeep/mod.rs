//! Keeping house: what one worker of the fleet does for all. Each part is a duty in the table `duties`, and has a
//! task and a deadline of its own: a document store that hangs holds up no lease, and a part that fails no other.
//!
//! A holder that stalls past its term and wakes up does no harm beside the next one: leases and runs are changed
//! by the state that they are in, a message that comes twice is claimed once, and files that are old and named by
//! no run stay so.

mod counts;
mod dead_letters;
mod endings;
mod missing;
mod months;
mod strays;
mod windows;

use std::time::Duration;

use futures::future::join_all;
use shared::store::{StoreError, duties, jobs};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::{App, Shared};

/// How often upkeep looks. With a lease of 30 s the work of a killed worker begins again within 40 s.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a duty is held: a holder that dies is followed after three looks.
const TERM: Duration = Duration::from_secs(15);
/// How long a look may take: it ends before somebody else may look.
const WITHIN: Duration = Duration::from_secs(12);

/// One part of it.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Leases that ran out, and runs that must end.
    Leases,
    /// Jobs by state, and messages that are missing from the broker.
    Messages,
    /// The broker's dead letters.
    Letters,
    /// Partitions, once an hour.
    Months,
    /// Files that no run names, once a day.
    Strays,
    /// Windows of clients' rates that are over, once an hour.
    Windows,
}

impl Part {
    const ALL: [Self; 6] = [Self::Leases, Self::Messages, Self::Letters, Self::Months, Self::Strays, Self::Windows];

    /// Its name in `duties`.
    const fn duty(self) -> &'static str {
        match self {
            Self::Leases => "upkeep",
            Self::Messages => "messages",
            Self::Letters => "letters",
            Self::Months => "months",
            Self::Strays => "strays",
            Self::Windows => "windows",
        }
    }

    const fn within(self) -> Duration {
        match self {
            Self::Leases | Self::Messages | Self::Letters => WITHIN,
            Self::Months => months::WITHIN,
            Self::Strays => strays::WITHIN,
            Self::Windows => windows::WITHIN,
        }
    }
}

/// Keeps house until the worker stops.
pub async fn keep_house(app: Shared) {
    join_all(Part::ALL.map(|part| keep(&app, part))).await;
}

async fn keep(app: &App, part: Part) {
    let mut missing = missing::Looks::default();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let looked = tokio::select! {
            () = app.stop.cancelled() => return,
            looked = timeout(part.within(), look(app, part, &mut missing)) => looked,
        };
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, duty = part.duty(), "upkeep cannot look"),
            Err(_) => {
                missing.forget();
                tracing::warn!(duty = part.duty(), "upkeep takes too long and is given up for now");
            }
        }
    }
}

async fn look(app: &App, part: Part, missing: &mut missing::Looks) -> Result<(), StoreError> {
    match part {
        Part::Months => return months::make_ahead(app).await,
        Part::Strays => return strays::remove(app).await,
        Part::Windows => return windows::remove(app).await,
        _ => {}
    }
    if !duties::take(&app.pool, part.duty(), &app.name, TERM).await? {
        missing.forget();
        if matches!(part, Part::Messages) {
            app.metrics.forget_fleet();
        }
        return Ok(());
    }
    match part {
        Part::Leases => {
            let expired = expire_leases(app).await;
            endings::end_runs(app).await.and(expired)
        }
        Part::Messages => {
            let counted = counts::count(app).await;
            missing.publish_again(app).await.and(counted)
        }
        Part::Letters => dead_letters::keep(app).await,
        Part::Months | Part::Strays | Part::Windows => Ok(()),
    }
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
