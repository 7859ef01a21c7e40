//! deploy/rabbitmq/definitions.json on the real broker.

use futures::StreamExt;
use harness::services::{Queues, Services};
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicRejectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};

async fn quorum_queue(channel: &Channel, name: &str) {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await.expect("the queue is declared");
}

async fn consumer(channel: &Channel, queue: &str) -> lapin::Consumer {
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(queue.into(), "".into(), options, arguments).await.expect("the queue can be consumed")
}

/// A broker's channel with the queue of normal runs and the dead-letter queue of a prefix.
async fn channel(queues: &Queues) -> (Connection, Channel, String, String) {
    let url = &Services::get().amqp_url;
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker is up");
    let channel = connection.create_channel().await.expect("a channel");
    let (runs, dead) = (format!("{}.runs.normal", queues.prefix()), format!("{}.dead", queues.prefix()));
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel
        .exchange_declare(dead.as_str().into(), ExchangeKind::Fanout, durable, FieldTable::default())
        .await
        .expect("the exchange is declared");
    quorum_queue(&channel, &dead).await;
    let (name, options) = (dead.as_str(), QueueBindOptions::default());
    channel.queue_bind(name.into(), name.into(), "".into(), options, FieldTable::default()).await.expect("bound");
    quorum_queue(&channel, &runs).await;
    (connection, channel, runs, dead)
}

async fn publish(channel: &Channel, queue: &str) {
    let properties = BasicProperties::default().with_delivery_mode(2);
    channel
        .basic_publish("".into(), queue.into(), BasicPublishOptions::default(), b"a job", properties)
        .await
        .expect("published");
}

#[tokio::test]
async fn what_a_worker_sets_aside_goes_to_the_dead_letter_queue() {
    let queues = Queues::with_dead_letters();
    let (_connection, channel, runs, dead) = channel(&queues).await;
    publish(&channel, &runs).await;
    let taken = consumer(&channel, &runs).await.next().await.expect("a delivery").expect("a message");
    taken.acker.reject(BasicRejectOptions { requeue: false }).await.expect("rejected");
    let message = consumer(&channel, &dead).await.next().await.expect("a delivery").expect("a message");
    assert_eq!(message.data, b"a job");
}

#[tokio::test]
async fn a_message_that_is_given_back_for_ever_ends_in_the_dead_letter_queue() {
    let queues = Queues::with_dead_letters();
    let (_connection, channel, runs, dead) = channel(&queues).await;
    publish(&channel, &runs).await;
    let mut taken = consumer(&channel, &runs).await;
    let mut set_aside = consumer(&channel, &dead).await;
    let mut deliveries = 0;
    loop {
        tokio::select! {
            delivery = taken.next() => {
                let delivery = delivery.expect("a delivery").expect("a message");
                deliveries += 1;
                assert!(deliveries < 100, "the delivery limit does not hold");
                delivery.acker.reject(BasicRejectOptions { requeue: true }).await.expect("given back");
            }
            message = set_aside.next() => {
                assert_eq!(message.expect("a delivery").expect("a message").data, b"a job");
                break;
            }
        }
    }
    assert_eq!(deliveries, 21, "the first delivery and as many again as the limit says");
}
