//! Keeping house: what one worker of the fleet does for all. Each part is a duty in the table `duties`, and has a
//! task and a deadline of its own: a document store that hangs holds up no lease, and a part that fails no other.
//!
//! A holder that stalls past its term and wakes up does no harm beside the next one: leases and runs are changed
//! by the state that they are in, a message that comes twice is claimed once, and files that are old and named by
//! no run stay so.

mod budgets;
mod counts;
mod dead_letters;
mod endings;
mod missing;
mod months;
mod retention;
mod seals;
mod statistics;
mod strays;
mod windows;

use std::time::Duration;

use futures::future::join_all;
use shared::store::{StoreError, duties, jobs};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::{App, Shared};

/// How often upkeep looks. With a lease of 30 s the work of a killed worker begins again within 40 s.
const PERIOD: Duration = Duration::from_secs(5);

/// How a part is done.
#[derive(Clone, Copy, Debug)]
struct Duty {
    /// Its name in `duties`.
    name: &'static str,
    /// How often in the whole fleet; none: at every look, by whoever holds it.
    every: Option<Duration>,
    /// How long it is held: a holder that dies is followed then.
    term: Duration,
    /// How long a look may take: it ends before somebody else may look.
    within: Duration,
}

impl Duty {
    /// One that is done at every look: a holder that dies is followed after three.
    const fn at_every_look(name: &'static str) -> Self {
        Self { name, every: None, term: Duration::from_secs(15), within: Duration::from_secs(12) }
    }

    /// Whether it is due and ours.
    async fn take(self, app: &App) -> Result<bool, StoreError> {
        match self.every {
            Some(every) => duties::take_due(&app.pool, self.name, &app.name, self.term, every).await,
            None => duties::take(&app.pool, self.name, &app.name, self.term).await,
        }
    }
}

/// Whether a duty was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// Until its next time.
    Wholly,
    /// Another look is to come.
    ForNow,
}

/// One part of it.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Leases that ran out, and runs that must end.
    Leases,
    /// Jobs by state, and messages that are missing from the broker.
    Messages,
    /// The broker's dead letters.
    Letters,
    /// Partitions.
    Months,
    /// Files that no run names.
    Strays,
    /// Windows of clients' rates that are over.
    Windows,
    /// Figures of the runs that ended.
    Statistics,
    /// What is past its term.
    Retention,
    /// Clients that have spent most of their budget.
    Budgets,
    /// The audit's chain.
    Seals,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Leases,
        Self::Messages,
        Self::Letters,
        Self::Months,
        Self::Strays,
        Self::Windows,
        Self::Statistics,
        Self::Retention,
        Self::Budgets,
        Self::Seals,
    ];

    const fn duty(self) -> Duty {
        match self {
            Self::Leases => Duty::at_every_look("upkeep"),
            Self::Messages => Duty::at_every_look("messages"),
            Self::Letters => Duty::at_every_look("letters"),
            Self::Months => months::DUTY,
            Self::Strays => strays::DUTY,
            Self::Windows => windows::DUTY,
            Self::Statistics => Duty::at_every_look("statistics"),
            Self::Retention => retention::DUTY,
            Self::Budgets => Duty::at_every_look("budgets"),
            Self::Seals => Duty::at_every_look("seals"),
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
        let Duty { name: duty, within, .. } = part.duty();
        let looked = tokio::select! {
            () = app.stop.cancelled() => return,
            looked = timeout(within, look(app, part, &mut missing)) => looked,
        };
        match looked {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, duty, "upkeep cannot look"),
            Err(_) => {
                missing.forget();
                tracing::warn!(duty, "upkeep takes too long and is given up for now");
            }
        }
    }
}

async fn look(app: &App, part: Part, missing: &mut missing::Looks) -> Result<(), StoreError> {
    let duty = part.duty();
    if !duty.take(app).await? {
        missing.forget();
        match part {
            Part::Messages => app.metrics.forget_fleet(),
            Part::Budgets => app.metrics.forget_budgets(),
            _ => {}
        }
        return Ok(());
    }
    let done = match part {
        Part::Leases => {
            let expired = expire_leases(app).await;
            endings::end_runs(app).await.and(expired).map(|()| Done::ForNow)
        }
        Part::Messages => {
            let counted = counts::count(app).await;
            missing.publish_again(app).await.and(counted).map(|()| Done::ForNow)
        }
        Part::Letters => dead_letters::keep(app).await.map(|()| Done::ForNow),
        Part::Months => months::make_ahead(app).await,
        Part::Strays => strays::remove(app).await,
        Part::Windows => windows::remove(app).await,
        Part::Statistics => statistics::add_up(app).await,
        Part::Retention => retention::keep(app).await,
        Part::Budgets => budgets::look(app).await,
        Part::Seals => seals::seal(app).await,
    };
    match done? {
        Done::Wholly => duties::done(&app.pool, duty.name, &app.name).await,
        Done::ForNow => Ok(()),
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
