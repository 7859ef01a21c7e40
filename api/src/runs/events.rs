//! `GET /v1/runs/{run_id}/events`: what happens to a run, as Server-Sent Events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use shared::domain::{Stage, Status};
use shared::queue::events::What;
use shared::run_view::{Reader, RunView};
use shared::store::runs::{self, RunRecord};
use tokio::time::Instant;
use uuid::Uuid;

use super::stage_log::{StageEvent, StageLog};
use super::{RunId, find, named_client};
use crate::auth::{MayRead, reader};
use crate::live::{Signal, Waiter};
use crate::problem::{Code, Problem, ProblemBody};
use crate::request::RequestContext;
use crate::state::App;

/// How often a stream that has nothing to say says that it lives.
pub const COMMENT: Duration = Duration::from_secs(15);

/// The first event: where the run stands.
#[derive(Serialize)]
struct Snapshot {
    run_id: Uuid,
    /// Named to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    status: Status,
    stage: Stage,
    attempts: i32,
    generation: i32,
    /// Of the attempt that is going on.
    stages: Vec<StageEvent>,
}

/// Tells what happens to a run until it has finished.
#[utoipa::path(
    get, path = "/v1/runs/{run_id}/events", tag = "runs",
    params(("run_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "`snapshot`, then `stage` for each, then `run` with the whole run", content_type = "text/event-stream", body = String),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "NOT_FOUND", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "RATE_LIMITED: too many wait already", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "DATABASE_UNAVAILABLE", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn events(
    State(app): State<App>,
    MayRead(caller): MayRead,
    Extension(context): Extension<RequestContext>,
    RunId(run_id): RunId,
) -> Result<Response, Problem> {
    let full = || Problem::new(Code::RateLimited, "Too many requests wait already.").retry_after(COMMENT);
    let waiter = app.hub.register(run_id).ok_or_else(full)?;
    let record = find::readable(&app, &caller, &context, run_id, "run.read").await?;
    let telling = Telling::new(app, waiter, record, reader(&caller));
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache, no-transform")];
    // Proxies of nginx's kind hold a stream back unless told.
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(telling.stream())).into_response())
}

/// A stream that is being told.
struct Telling {
    app: App,
    waiter: Waiter,
    reader: Reader,
    run_id: Uuid,
    log: StageLog,
    /// Said and not yet sent. Nothing more is heard until it is empty, so it holds the events of one signal: the stages
    /// of a run and its end.
    ready: VecDeque<Bytes>,
    /// When a comment is due. Kept, since a look that brings nothing to say wakes the stream once a second.
    comment_at: Instant,
    over: bool,
}

impl Telling {
    fn new(app: App, waiter: Waiter, record: RunRecord, reader: Reader) -> Self {
        let run_id = record.run_id;
        let log = StageLog::new(run_id);
        let comment_at = Instant::now() + app.comment_every;
        let mut telling = Self { app, waiter, reader, run_id, log, ready: VecDeque::new(), comment_at, over: false };
        if record.status == Status::Processing {
            let snapshot = Snapshot {
                run_id,
                client: named_client(&record, reader),
                status: record.status,
                stage: record.stage,
                attempts: record.attempts,
                generation: record.generation,
                stages: telling.log.stands(record.stage, record.attempts, record.read_at),
            };
            telling.say("snapshot", &snapshot);
        } else {
            telling.over = true;
            telling.say("run", &RunView::new(record, reader));
        }
        telling
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send {
        stream::unfold(self, |mut telling| async move {
            loop {
                if let Some(bytes) = telling.ready.pop_front() {
                    return Some((Ok(bytes), telling));
                }
                if telling.over {
                    return None;
                }
                telling.wait().await;
            }
        })
    }

    async fn wait(&mut self) {
        let app = Arc::clone(&self.app);
        tokio::select! {
            signal = self.waiter.next() => self.hear(signal).await,
            () = tokio::time::sleep_until(self.comment_at) => {
                self.push(Bytes::from_static(b": still here\n\n"));
            }
            () = app.stopping.cancelled() => self.over = true,
        }
    }

    async fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Told(What::Stage { stage, state, attempt, at }) => {
                let event = self.log.told(stage, state, attempt, at);
                self.say_stages(event);
            }
            Signal::Stands(stands) => {
                let events = self.log.stands(stands.stage, stands.attempts, self.now());
                self.say_stages(events);
            }
            // A read that fails is made good by the next look, within a second.
            Signal::Told(What::Finished) | Signal::Look => match runs::find(&self.app.pool, self.run_id).await {
                Ok(Some(record)) if record.status == Status::Processing => {
                    let events = self.log.stands(record.stage, record.attempts, record.read_at);
                    self.say_stages(events);
                }
                Ok(Some(record)) => self.end(record),
                // Erased meanwhile.
                Ok(None) => self.over = true,
                Err(error) => tracing::warn!(%error, "a run that has ended cannot be read"),
            },
        }
    }

    fn end(&mut self, record: RunRecord) {
        self.over = true;
        if record.status == Status::Success {
            let events = self.log.succeeded(record.attempts, record.completed_at.unwrap_or(record.read_at));
            self.say_stages(events);
        }
        self.say("run", &RunView::new(record, self.reader));
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.clock.now()
    }

    fn say_stages(&mut self, events: impl IntoIterator<Item = StageEvent>) {
        for event in events {
            self.say("stage", &event);
        }
    }

    fn say(&mut self, name: &str, data: &impl Serialize) {
        let data = serde_json::to_string(data).expect("an event is JSON");
        self.push(Bytes::from(format!("event: {name}\ndata: {data}\n\n")));
    }

    fn push(&mut self, bytes: Bytes) {
        self.comment_at = Instant::now() + self.app.comment_every;
        self.ready.push_back(bytes);
    }
}
