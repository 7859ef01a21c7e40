//! How a queue stands at the broker.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::{QueueError, Session};
use crate::store::jobs::Lane;

/// How a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Messages that are ready: neither delivered nor set aside.
    pub ready: u32,
    /// Who takes them.
    pub consumers: u32,
}

/// Looks at the queue of a lane.
///
/// # Errors
/// The session has failed; also when the queue is gone, since the next session declares it anew.
pub async fn depth(session: &Session, lane: Lane) -> Result<Depth, QueueError> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let declare = session.looks.queue_declare(session.names.lane(lane).into(), passive, FieldTable::default());
    let queue = tokio::time::timeout(Duration::from_secs(10), declare).await.map_err(|_| QueueError::TimedOut);
    match queue.and_then(|queue| Ok(queue?)) {
        Ok(queue) => Ok(Depth { ready: queue.message_count(), consumers: queue.consumer_count() }),
        Err(error) => {
            session.fail();
            Err(error)
        }
    }
}
