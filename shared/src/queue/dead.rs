//! The broker's dead-letter queue: messages that cannot be read, and those past its delivery limit.

use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::AMQPValue;

use super::{JobMessage, QueueError, Session};

/// One dead letter of the broker.
#[derive(Clone, Debug)]
pub struct DeadMessage {
    /// What it said, if it can be read.
    pub message: Option<JobMessage>,
    /// Why the broker set it aside: `rejected`, `delivery_limit`, …
    pub reason: String,
    /// How to settle it once it is kept.
    tag: u64,
}

/// Takes at most `limit` dead letters, hands them to `keep`, and settles them when it has kept them.
///
/// # Errors
/// The session has failed, or `keep` did: they stay in the queue.
pub async fn take_dead<E: From<QueueError>>(
    session: &Session,
    limit: usize,
    keep: impl AsyncFnOnce(&[DeadMessage]) -> Result<(), E>,
) -> Result<usize, E> {
    let channel = session.channel().await?;
    let mut letters = Vec::new();
    while letters.len() < limit {
        let got = channel.basic_get(session.names.dead().into(), BasicGetOptions::default()).await;
        let Some(letter) = got.map_err(QueueError::from)? else { break };
        let delivery = letter.delivery;
        letters.push(DeadMessage {
            message: JobMessage::from_bytes(&delivery.data),
            reason: reason(&delivery.properties),
            tag: delivery.delivery_tag,
        });
    }
    if let Some(last) = letters.last() {
        keep(&letters).await?;
        let all = BasicAckOptions { multiple: true };
        channel.basic_ack(last.tag, all).await.map_err(QueueError::from)?;
    }
    // The channel's end puts back whatever was not settled.
    channel.close(200, "done".into()).await.map_err(QueueError::from)?;
    Ok(letters.len())
}

fn reason(properties: &lapin::BasicProperties) -> String {
    let header = properties.headers().as_ref().and_then(|headers| headers.inner().get("x-first-death-reason"));
    match header {
        Some(AMQPValue::LongString(reason)) => reason.to_string(),
        _ => "unknown".to_owned(),
    }
}
