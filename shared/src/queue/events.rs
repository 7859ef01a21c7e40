//! Finished runs and stage events, on a transient exchange to every api process. Nothing depends on them: a
//! waiter that hears nothing reads the database once a second.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Broker, QueueError, Session};
use crate::domain::Stage;

/// Something happened to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Which run.
    pub run_id: Uuid,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A stage began or ended.
    Stage {
        /// Which.
        stage: Stage,
        /// Began or ended.
        state: StageState,
        /// Which attempt, from 1.
        attempt: i32,
        /// When, by the database's clock.
        at: DateTime<Utc>,
    },
    /// The run has finished: its row says how.
    Finished,
}

/// A stage's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageState {
    /// It began.
    Started,
    /// It ended.
    Ended,
}

/// Events that wait to be sent; more are dropped.
const WAITING: usize = 10_000;
/// One message in so long.
const PERIOD: Duration = Duration::from_millis(50);
/// Events in one message.
const BATCH: usize = 1_000;

/// Sends events. Never waits: events that do not fit are dropped.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<RunEvent>);

impl EventSender {
    /// Starts the task that sends: at once after a quiet time, else one message in 50 ms.
    pub fn start(broker: Broker, stop: CancellationToken) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), tokio::spawn(send_all(broker, receiver, stop)))
    }

    /// Sends one event, if there is room.
    pub fn send(&self, event: RunEvent) {
        drop(self.0.try_send(event));
    }
}

async fn send_all(broker: Broker, mut receiver: mpsc::Receiver<RunEvent>, stop: CancellationToken) {
    let mut batch = Vec::new();
    let mut next = Instant::now();
    loop {
        let received = tokio::select! {
            received = receiver.recv_many(&mut batch, BATCH) => received,
            () = stop.cancelled() => 0,
        };
        if received == 0 {
            return;
        }
        tokio::time::sleep_until(next).await;
        while batch.len() < BATCH {
            match receiver.try_recv() {
                Ok(event) => batch.push(event),
                Err(_) => break,
            }
        }
        next = Instant::now() + PERIOD;
        if let Ok(session) = broker.session()
            && publish(&session, &batch).await.is_err()
        {
            session.fail();
        }
        batch.clear();
    }
}

async fn publish(session: &Session, batch: &[RunEvent]) -> Result<(), QueueError> {
    let payload = serde_json::to_vec(batch).unwrap_or_default();
    let properties = BasicProperties::default().with_content_type("application/json".into());
    let exchange = session.names.events();
    session
        .events
        .basic_publish(exchange.into(), "".into(), BasicPublishOptions::default(), &payload, properties)
        .await?;
    Ok(())
}

/// Hands every event to `hear`, over every session, until `stop`.
pub async fn listen(mut broker: Broker, stop: CancellationToken, mut hear: impl FnMut(RunEvent)) {
    loop {
        let session = tokio::select! {
            () = stop.cancelled() => return,
            session = broker.next_session() => session,
        };
        let Some(session) = session else { return };
        let hearing = hear_session(&session, &mut hear);
        tokio::select! {
            () = stop.cancelled() => return,
            () = session.ended() => {}
            heard = hearing => {
                if let Err(error) = heard {
                    tracing::warn!(%error, "events cannot be heard");
                }
                session.fail();
            }
        }
    }
}

async fn hear_session(session: &Session, hear: &mut impl FnMut(RunEvent)) -> Result<(), QueueError> {
    let channel = session.channel().await?;
    let mut arguments = FieldTable::default();
    // A listener that has stalled loses the oldest events and not the broker's memory.
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1_000));
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
    let queue = channel.queue_declare("".into(), own, arguments).await?;
    let name = queue.name().clone();
    channel
        .queue_bind(
            name.clone(),
            session.names.events().into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let unsettled = BasicConsumeOptions { no_ack: true, exclusive: true, ..Default::default() };
    let mut consumer = channel.basic_consume(name, "".into(), unsettled, FieldTable::default()).await?;
    while let Some(delivery) = consumer.next().await {
        let batch: Vec<RunEvent> = serde_json::from_slice(&delivery?.data).unwrap_or_default();
        batch.into_iter().for_each(&mut *hear);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_back() {
        let at = "2026-11-22T08:11:00.123Z".parse().expect("a time");
        let what = What::Stage { stage: Stage::Read, state: StageState::Started, attempt: 2, at };
        for what in [what, What::Finished] {
            let event = RunEvent { run_id: Uuid::from_u128(5), what };
            let text = serde_json::to_string(&event).expect("JSON");
            assert_eq!(serde_json::from_str::<RunEvent>(&text).expect("an event"), event);
        }
    }
}
