//! Takes deliveries of one lane, with a bound on how many are unsettled.

use std::sync::Arc;

use futures::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, BasicProperties, Channel, Consumer};

use super::{JobMessage, QueueError, Session};
use crate::store::jobs::Lane;
use crate::telemetry::{TRACEPARENT, TraceContext};

/// A consumer of a lane, on a channel of its own.
#[derive(Debug)]
pub struct LaneConsumer {
    session: Arc<Session>,
    channel: Channel,
    consumer: Consumer,
}

/// One delivery.
#[derive(Debug)]
pub struct Delivered {
    /// What it says.
    pub message: JobMessage,
    /// The trace that it came with.
    pub trace: Option<TraceContext>,
    /// It was delivered before, to a worker that did not settle it.
    pub redelivered: bool,
    /// How it is settled.
    pub settle: Settle,
}

/// Settles a delivery. Dropped without settling it stays with this session and is delivered again when the
/// session ends.
#[derive(Debug)]
pub struct Settle {
    acker: Acker,
    session: Arc<Session>,
}

impl LaneConsumer {
    /// Begins to consume, with at most `prefetch` unsettled deliveries.
    ///
    /// # Errors
    /// The session has failed.
    pub async fn start(session: Arc<Session>, lane: Lane, prefetch: u16) -> Result<Self, QueueError> {
        let channel = session.channel().await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = session.names.lane(lane);
        let consumer = channel
            .basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await?;
        Ok(Self { session, channel, consumer })
    }

    /// The next delivery. None: the consumer has ended, and with it the session unless it was cancelled.
    /// What cannot be read is set aside: the broker moves it to its dead-letter queue.
    pub async fn next(&mut self) -> Option<Delivered> {
        loop {
            let delivery = tokio::select! {
                () = self.session.ended() => None,
                delivery = self.consumer.next() => delivery,
            };
            let delivery = match delivery {
                Some(Ok(delivery)) => delivery,
                Some(Err(error)) => {
                    tracing::warn!(%error, "a consumer failed");
                    self.session.fail();
                    return None;
                }
                None => return None,
            };
            let settle = Settle { acker: delivery.acker.clone(), session: Arc::clone(&self.session) };
            match JobMessage::from_bytes(&delivery.data) {
                Some(message) => {
                    let trace = trace_of(&delivery.properties);
                    return Some(Delivered { message, trace, redelivered: delivery.redelivered, settle });
                }
                None => settle.set_aside().await,
            }
        }
    }

    /// Takes no more. What was delivered already still comes from [`LaneConsumer::next`].
    pub async fn cancel(&self) {
        let cancelled = self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default()).await;
        if cancelled.is_err() {
            self.session.fail();
        }
    }

    /// Says that something is wrong with the session.
    pub fn give_up(&self) {
        self.session.fail();
    }
}

impl Settle {
    /// Done with it.
    pub async fn done(self) {
        let done = self.acker.ack(BasicAckOptions::default()).await;
        self.check(done);
    }

    /// Put back, for any worker to take at once.
    pub async fn put_back(self) {
        let done = self.acker.reject(BasicRejectOptions { requeue: true }).await;
        self.check(done);
    }

    async fn set_aside(self) {
        tracing::warn!("a message cannot be read and is set aside");
        let done = self.acker.reject(BasicRejectOptions { requeue: false }).await;
        self.check(done);
    }

    fn check(&self, done: lapin::Result<bool>) {
        if done.is_err() {
            // It is delivered again, and its claim then says that it is not to be had.
            self.session.fail();
        }
    }
}

/// The trace context of a message, as [W3C](https://w3c.github.io/trace-context-amqp/) puts it into AMQP's headers.
fn trace_of(properties: &BasicProperties) -> Option<TraceContext> {
    match properties.headers().as_ref()?.inner().get(TRACEPARENT)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?.parse().ok(),
        AMQPValue::ShortString(text) => text.as_str().parse().ok(),
        _ => None,
    }
}
