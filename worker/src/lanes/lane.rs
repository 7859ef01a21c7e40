//! One lane with a fixed number of slots: callbacks, erasures.

use std::sync::Arc;

use shared::queue::{Delivered, LaneConsumer, Session};
use shared::store::jobs::Lane;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::app::{App, Shared};

/// Takes deliveries of a lane over every session and works on them, until the worker stops.
pub async fn run_lane<F>(app: Shared, lane: Lane, slots: usize, tasks: TaskTracker, work: F)
where
    F: AsyncWork,
{
    let mut broker = app.broker.clone();
    let room = Arc::new(Semaphore::new(slots));
    loop {
        let session = tokio::select! {
            () = app.stop.cancelled() => return,
            session = broker.next_session() => session,
        };
        let Some(session) = session else { return };
        let prefetch = u16::try_from(slots).unwrap_or(u16::MAX);
        match LaneConsumer::start(Arc::clone(&session), lane, prefetch).await {
            Ok(mut consumer) => take(&app, (lane, &session, &room), &mut consumer, &tasks, &work).await,
            Err(error) => {
                tracing::warn!(%error, ?lane, "a lane cannot be consumed");
                session.fail();
            }
        }
    }
}

async fn take<F: AsyncWork>(
    app: &Shared,
    (lane, session, room): (Lane, &Arc<Session>, &Arc<Semaphore>),
    consumer: &mut LaneConsumer,
    tasks: &TaskTracker,
    work: &F,
) {
    loop {
        let delivered = tokio::select! {
            () = app.stop.cancelled() => break,
            delivered = consumer.next() => delivered,
        };
        let Some(delivered) = delivered else {
            // Cancelled by the broker: its queue was deleted. The next session declares it anew.
            consumer.give_up();
            return;
        };
        count(app, lane, &delivered);
        let (app, work) = (Arc::clone(app), work.clone());
        let (session, room) = (Arc::clone(session), Arc::clone(room));
        tasks.spawn(async move {
            match slot(&app, &session, room).await {
                Some(_slot) => work.work(&app, delivered).await,
                None => delivered.settle.put_back().await,
            }
        });
    }
    put_back(consumer).await;
}

/// A slot of this worker for a delivery. The broker bounds what is in hand by one session; work that began in an
/// earlier one may still go on, and each new session would bring as much again. None: the worker stops, or the
/// session is over and the broker delivers it anew.
pub(super) async fn slot(app: &App, session: &Session, room: Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        slot = room.acquire_owned() => slot.ok(),
        () = session.ended() => None,
        () = app.stop.cancelled() => None,
    }
}

/// Counts a delivery that is begun.
pub(super) fn count(app: &App, lane: Lane, delivered: &Delivered) {
    app.metrics.delivery(lane.kind().as_str(), if delivered.redelivered { "repeated" } else { "first" });
}

/// Ends a consumer; what was delivered and not begun goes back for other workers.
pub(super) async fn put_back(consumer: &mut LaneConsumer) {
    consumer.cancel().await;
    while let Some(delivered) = consumer.next().await {
        delivered.settle.put_back().await;
    }
}

/// What is done with a delivery of a lane.
pub trait AsyncWork: Clone + Send + Sync + 'static {
    /// Works on it and settles it.
    fn work(&self, app: &App, delivered: Delivered) -> impl Future<Output = ()> + Send;
}
