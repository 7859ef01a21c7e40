//! How many messages a queue holds.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::{QueueError, Session};
use crate::store::jobs::Lane;

/// Messages that are ready: neither delivered nor set aside.
///
/// # Errors
/// The session has failed; also when the queue is gone, since the next session declares it anew.
pub async fn ready_messages(session: &Session, lane: Lane) -> Result<u64, QueueError> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let declare = session.looks.queue_declare(session.names.lane(lane).into(), passive, FieldTable::default());
    let queue = tokio::time::timeout(Duration::from_secs(10), declare).await.map_err(|_| QueueError::TimedOut);
    match queue.and_then(|queue| Ok(queue?)) {
        Ok(queue) => Ok(queue.message_count().into()),
        Err(error) => {
            session.fail();
            Err(error)
        }
    }
}
