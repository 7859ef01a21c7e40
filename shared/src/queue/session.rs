//! One connection with its channels and topology. It is used until anything at all goes wrong with it, and is
//! then dropped whole.

use std::time::Duration;

use futures::StreamExt as _;
use lapin::options::{ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, Event, ExchangeKind};
use tokio_util::sync::CancellationToken;

use super::refusals::Refusals;
use super::{Names, QueueError};
use crate::store::jobs::Lane;

/// How long the broker may block publishers before the session is given up: it may be another node's alarm.
const LONG_BLOCK: Duration = Duration::from_secs(60);

/// A live connection.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    /// Of job messages; in confirm mode.
    pub(super) jobs: Channel,
    /// Of events; unconfirmed.
    pub(super) events: Channel,
    /// For looking at queues. A passive declaration of a queue that is gone closes its channel, and with it
    /// this session: the next one declares the queue anew.
    pub(super) looks: Channel,
    pub(super) names: Names,
    pub(super) refusals: Refusals,
    ended: CancellationToken,
}

impl Session {
    /// Connects and declares what we use.
    pub(super) async fn open(url: &str, names: Names, application: &str) -> Result<Self, QueueError> {
        let properties = ConnectionProperties::default().with_connection_name(application.into());
        let connection = Connection::connect(url, properties).await?;
        let jobs = connection.create_channel().await?;
        jobs.confirm_select(ConfirmSelectOptions::default()).await?;
        let events = connection.create_channel().await?;
        let looks = connection.create_channel().await?;
        declare(&looks, &names).await?;
        let (refusals, ended) = (Refusals::default(), CancellationToken::new());
        Ok(Self { connection, jobs, events, looks, names, refusals, ended })
    }

    /// A channel of its own, for a consumer.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        Ok(self.connection.create_channel().await?)
    }

    /// Says that something went wrong: everything on this session is to be dropped and built anew.
    pub fn fail(&self) {
        self.ended.cancel();
    }

    /// Resolves when the session is over.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether the session is over.
    pub fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// Watches the connection until it fails or is told to have failed.
    pub(super) async fn watch(&self) {
        let mut events = std::pin::pin!(self.connection.events_listener());
        let mut blocked_since: Option<tokio::time::Instant> = None;
        loop {
            let long_block = async {
                match blocked_since {
                    Some(since) => tokio::time::sleep_until(since + LONG_BLOCK).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.ended.cancelled() => break,
                () = long_block => break,
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(reason, "the broker blocks publishers");
                        blocked_since.get_or_insert_with(tokio::time::Instant::now);
                    }
                    Some(Event::ConnectionUnblocked) => blocked_since = None,
                    Some(Event::Error(error)) => {
                        tracing::warn!(%error, "the connection to the broker failed");
                        break;
                    }
                    Some(_) => {}
                    None => break,
                },
            }
        }
        self.ended.cancel();
    }

    /// Closes the connection, if it still can be closed.
    pub(super) async fn close(&self) {
        self.ended.cancel();
        let close = self.connection.close(200, "bye".into());
        if tokio::time::timeout(Duration::from_secs(2), close).await.is_err() {
            tracing::debug!("the broker did not answer the closing of its connection");
        }
    }
}

/// Queues have no arguments but their type: an argument can never be changed, a policy can.
async fn declare(channel: &Channel, names: &Names) -> Result<(), QueueError> {
    let quorum = || {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        arguments
    };
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(names.dead().into(), ExchangeKind::Fanout, durable, FieldTable::default()).await?;
    channel.queue_declare(names.dead().into(), QueueDeclareOptions::durable(), quorum()).await?;
    channel
        .queue_bind(
            names.dead().into(),
            names.dead().into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    for lane in Lane::ALL {
        channel.queue_declare(names.lane(lane).into(), QueueDeclareOptions::durable(), quorum()).await?;
    }
    let transient = ExchangeDeclareOptions::default();
    channel.exchange_declare(names.events().into(), ExchangeKind::Fanout, transient, FieldTable::default()).await?;
    Ok(())
}
