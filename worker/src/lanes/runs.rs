//! The two lanes of runs, which share the worker's slots.

use std::sync::Arc;
use std::time::Duration;

use shared::queue::{Delivered, LaneConsumer, QueueError, Session, depth};
use shared::store::jobs::Lane;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

use super::lane::{count, put_back, slot};
use super::shares;
use crate::app::Shared;
use crate::outside::{Gate, gate};
use crate::runs;

/// How often shares may move. A consumer is made anew for it, which the broker's quorum has to agree on.
const PERIOD: Duration = Duration::from_millis(250);
/// How often a worker that may take one run looks whether there is one.
const PROBE_PERIOD: Duration = Duration::from_secs(1);

/// Takes runs over every session and works on them, until the worker stops.
pub async fn run_runs(app: Shared, tasks: TaskTracker) {
    let mut broker = app.broker.clone();
    let room = Arc::new(Semaphore::new(app.settings.worker_concurrency));
    loop {
        let session = tokio::select! {
            () = app.stop.cancelled() => return,
            session = broker.next_session() => session,
        };
        let Some(session) = session else { return };
        if let Err(error) = take(&app, &session, &room, &tasks).await {
            tracing::warn!(%error, "runs cannot be consumed");
        }
        if app.stop.is_cancelled() {
            return;
        }
        session.fail();
    }
}

/// Which consumer a delivery came by.
#[derive(Clone, Copy)]
struct From {
    lane: Lane,
    consumer: u64,
}

async fn take(
    app: &Shared,
    session: &Arc<Session>,
    room: &Arc<Semaphore>,
    tasks: &TaskTracker,
) -> Result<(), QueueError> {
    let slots = app.settings.worker_concurrency;
    // As many as can be in hand; whoever ends while this loop is busy with a consumer waits for it.
    let (ended_sender, mut ended) = mpsc::channel::<From>(slots);
    let (share_high, share_normal) = shares::first(slots);
    let mut high = Side::start(session, Lane::RunsHigh, share_high).await?;
    let mut normal = Side::start(session, Lane::RunsNormal, share_normal).await?;
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut was = Gate::Open;
    let mut looked = tokio::time::Instant::now();
    loop {
        let delivered = tokio::select! {
            () = app.stop.cancelled() => break,
            () = session.ended() => return Ok(()),
            Some(from) = ended.recv() => {
                let side = if from.lane == Lane::RunsHigh { &mut high } else { &mut normal };
                side.ended(from.consumer);
                continue;
            }
            _ = ticks.tick() => {
                // What OCR or the model is needed for is not begun while they are away.
                let is = gate(app.pipeline.services());
                if is != was {
                    was = is;
                    high.pause().await;
                    normal.pause().await;
                }
                match is {
                    Gate::Open => {}
                    Gate::One if !high.consumes() && !normal.consumes() && looked.elapsed() >= PROBE_PERIOD => {
                        looked = tokio::time::Instant::now();
                        take_one(session, &mut high, &mut normal).await?;
                        continue;
                    }
                    Gate::One | Gate::Shut => continue,
                }
                let (want_high, want_normal) = shares::wanted(slots, high.looked_at(), normal.looked_at());
                // What is taken from one first is given to the other at a later look.
                let (room_high, room_normal) = (slots - normal.load().share, slots - high.load().share);
                high.resize(session, want_high.min(room_high.max(1))).await?;
                normal.resize(session, want_normal.min(room_normal.max(1))).await?;
                continue;
            }
            delivered = high.next() => delivered.map(|delivered| (&mut high, delivered)),
            delivered = normal.next() => delivered.map(|delivered| (&mut normal, delivered)),
        };
        let Some((side, delivered)) = delivered else { return Ok(()) };
        if gate(app.pipeline.services()) == Gate::Shut {
            // It came between two looks.
            delivered.settle.put_back().await;
            continue;
        }
        count(app, side.lane, &delivered);
        let from = side.began();
        let (app, ended) = (Arc::clone(app), ended_sender.clone());
        let (session, room) = (Arc::clone(session), Arc::clone(room));
        tasks.spawn(async move {
            match slot(&app, &session, room).await {
                Some(_slot) => runs::handle(&app, delivered).await,
                None => delivered.settle.put_back().await,
            }
            // Nobody listens any more when the session is over.
            let _ = ended.send(from).await;
        });
    }
    for side in [&mut high, &mut normal] {
        if let Some(consumer) = &mut side.consumer {
            put_back(consumer).await;
        }
    }
    Ok(())
}

/// Lets the lane that has a message take one: the run that probes.
async fn take_one(session: &Arc<Session>, high: &mut Side, normal: &mut Side) -> Result<(), QueueError> {
    for side in [high, normal] {
        if depth(session, side.lane).await?.ready > 0 {
            return side.resize(session, side.busy_before + 1).await;
        }
    }
    Ok(())
}

/// One of the two lanes, with the consumer that it has now.
struct Side {
    lane: Lane,
    consumer: Option<LaneConsumer>,
    /// Counts the consumers that this side has had.
    number: u64,
    prefetch: usize,
    /// In hand by the present consumer, and by those before it.
    busy: usize,
    busy_before: usize,
    /// The most that were in hand since shares were last looked at: between two short runs a lane with a long queue
    /// looks idle for a moment.
    most_busy: usize,
}

impl Side {
    async fn start(session: &Arc<Session>, lane: Lane, share: usize) -> Result<Self, QueueError> {
        let consumer = Some(consumer(session, lane, share).await?);
        Ok(Self { lane, consumer, number: 0, prefetch: share, busy: 0, busy_before: 0, most_busy: 0 })
    }

    const fn load(&self) -> shares::Lane {
        shares::Lane { share: self.prefetch + self.busy_before, busy: self.most_busy }
    }

    /// The load since this was last asked.
    const fn looked_at(&mut self) -> shares::Lane {
        let load = self.load();
        self.most_busy = self.busy + self.busy_before;
        load
    }

    /// The next delivery; never comes while this side has no consumer.
    async fn next(&mut self) -> Option<Delivered> {
        match &mut self.consumer {
            Some(consumer) => consumer.next().await,
            None => std::future::pending().await,
        }
    }

    const fn began(&mut self) -> From {
        self.busy += 1;
        if self.busy + self.busy_before > self.most_busy {
            self.most_busy = self.busy + self.busy_before;
        }
        From { lane: self.lane, consumer: self.number }
    }

    const fn ended(&mut self, consumer: u64) {
        if consumer == self.number {
            self.busy -= 1;
        } else {
            self.busy_before -= 1;
        }
    }

    const fn consumes(&self) -> bool {
        self.consumer.is_some()
    }

    /// Takes no more. What it has in hand counts on until it has ended.
    async fn pause(&mut self) {
        if let Some(mut present) = self.consumer.take() {
            put_back(&mut present).await;
        }
        self.busy_before += self.busy;
        (self.busy, self.prefetch) = (0, 0);
        self.number += 1;
    }

    /// Makes a consumer with another bound.
    async fn resize(&mut self, session: &Arc<Session>, share: usize) -> Result<(), QueueError> {
        if share == self.load().share {
            return Ok(());
        }
        self.pause().await;
        self.prefetch = share.saturating_sub(self.busy_before);
        if self.prefetch > 0 {
            self.consumer = Some(consumer(session, self.lane, self.prefetch).await?);
        }
        Ok(())
    }
}

async fn consumer(session: &Arc<Session>, lane: Lane, prefetch: usize) -> Result<LaneConsumer, QueueError> {
    LaneConsumer::start(Arc::clone(session), lane, u16::try_from(prefetch).unwrap_or(u16::MAX)).await
}
