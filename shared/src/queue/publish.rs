//! Publishes jobs with pipelined confirms.

use std::time::{Duration, Instant};

use futures::future::join_all;
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation, PublisherConfirm};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{JobMessage, QueueError, Session};
use crate::store::jobs::PublishedJob;
use crate::telemetry::{self, Relayed, TRACEPARENT, TraceContext};

/// How long the broker may take to confirm.
const CONFIRM_TIME: Duration = Duration::from_secs(30);

/// What the broker did not take.
#[derive(Debug, Default)]
pub struct Unconfirmed {
    /// To be unmarked.
    pub publishings: Vec<NotTaken>,
}

/// One message that the broker did not take.
#[derive(Clone, Copy, Debug)]
pub struct NotTaken {
    /// Which job.
    pub job_id: Uuid,
    /// Which publishing of it.
    pub publish_no: i32,
    /// What it came to.
    pub why: Relayed,
}

impl Unconfirmed {
    /// What the message of a job came to, if it was not taken.
    pub fn of(&self, job_id: Uuid) -> Option<Relayed> {
        self.publishings.iter().find(|lost| lost.job_id == job_id).map(|lost| lost.why)
    }
}

/// Publishes and waits for the confirms of all. On any fault of the connection the session is given up and all
/// that is not confirmed is answered as such.
pub async fn publish_jobs(session: &Session, jobs: &[PublishedJob]) -> Unconfirmed {
    let mut confirms = Vec::with_capacity(jobs.len());
    for job in jobs {
        confirms.push(send(session, job).await);
    }
    let waits = confirms.into_iter().map(|confirm| async {
        match confirm {
            Ok(confirm) => tokio::time::timeout(CONFIRM_TIME, confirm)
                .await
                .map_err(|_| QueueError::TimedOut)
                .and_then(|confirmation| Ok(confirmation?)),
            Err(error) => Err(error),
        }
    });
    let mut unconfirmed = Unconfirmed::default();
    for (job, confirmation) in jobs.iter().zip(join_all(waits).await) {
        let why = match confirmation {
            Ok(Confirmation::Ack(None)) => {
                session.refusals.taken(job.lane);
                continue;
            }
            Ok(Confirmation::Ack(Some(_))) => Relayed::Returned,
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Relayed::Nacked,
            Err(_) => Relayed::Lost,
        };
        // The connection broke, a queue is gone, or this session's channel knows no leader of it: the next one declares
        // it anew and asks anew.
        if why != Relayed::Nacked || session.refusals.refused(job.lane, Instant::now()) {
            session.fail();
        }
        unconfirmed.publishings.push(NotTaken { job_id: job.job_id, publish_no: job.publish_no, why });
    }
    unconfirmed
}

/// Sends one message in the trace that its job was made in; its headers carry the trace on.
async fn send(session: &Session, job: &PublishedJob) -> Result<PublisherConfirm, QueueError> {
    let queue = session.names.lane(job.lane);
    let span = tracing::error_span!(
        "publish", run_id = %job.run_id, otel.kind = "producer", messaging.destination.name = queue
    );
    let parent = job.trace_context.as_deref().and_then(|text| text.parse().ok());
    let trace = telemetry::start(&span, parent);
    publish(session, job, &queue, trace).instrument(span).await
}

async fn publish(
    session: &Session,
    job: &PublishedJob,
    queue: &str,
    trace: TraceContext,
) -> Result<PublisherConfirm, QueueError> {
    let mut headers = FieldTable::default();
    headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.to_string().into()));
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_type("rb-ocr.job".into())
        .with_message_id(job.job_id.to_string().into())
        .with_delivery_mode(2)
        .with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let payload = JobMessage::new(job.job_id, job.run_id).to_bytes();
    Ok(session.jobs.basic_publish("".into(), queue.into(), options, &payload, properties).await?)
}
