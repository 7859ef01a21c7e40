//! Following a run through its stages: by events, and by a poll that waits.

use futures::StreamExt as _;
use harness::caller::{Caller, json, valid_form};
use harness::stack::Stack;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

/// A stream of events, read one by one.
struct Events {
    body: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: String,
}

impl Events {
    async fn of(caller: &Caller, run_id: Uuid) -> Self {
        let answer = caller.get(&format!("/v1/runs/{run_id}/events")).send().await.expect("an answer");
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::OK, &"text/event-stream".parse().expect("a header"))
        );
        Self { body: answer.bytes_stream().boxed(), buffer: String::new() }
    }

    /// The next event's name and data, comments left out; none when the stream has closed.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name.to_owned(), serde_json::from_str(data).expect("JSON")));
                }
                continue;
            }
            let chunk = self.body.next().await?.expect("the stream does not break");
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("whole letters"));
        }
    }
}

#[tokio::test]
async fn every_stage_is_told_once_and_at_the_end_the_run() {
    // The worker comes only when somebody listens.
    let mut stack = Stack::plan().workers(0).start().await;
    let bank = stack.bank().await;
    let run_id = bank.submit(valid_form()).await;
    let mut events = Events::of(&bank, run_id).await;
    let (name, snapshot) = events.next().await.expect("an event");
    assert_eq!((name.as_str(), &snapshot["stage"]), ("snapshot", &json!("queued")), "{snapshot}");
    stack.add_worker().await;

    let mut told = Vec::new();
    let last = loop {
        let (name, data) = events.next().await.expect("an event");
        if name == "run" {
            break data;
        }
        assert_eq!((name.as_str(), &data["run_id"], &data["attempt"]), ("stage", &json!(run_id), &json!(1)));
        told.push(format!("{} {}", data["stage"].as_str().expect("a stage"), data["state"].as_str().expect("a state")));
    };
    assert_eq!(events.next().await, None, "then it closes");
    assert_eq!(last, bank.run(run_id).await);
    let place =
        |event: &str| told.iter().position(|told| told == event).unwrap_or_else(|| panic!("{event} of {told:?}"));
    let stages = ["acquire", "read", "classify", "extract", "validate"];
    for stage in stages {
        assert!(place(&format!("{stage} started")) < place(&format!("{stage} ended")), "{told:?}");
    }
    for (first, then) in [
        ("acquire", "read"),
        ("read", "classify"),
        ("read", "extract"),
        ("classify", "validate"),
        ("extract", "validate"),
    ] {
        assert!(place(&format!("{first} ended")) < place(&format!("{then} started")), "{told:?}");
    }
    assert_eq!(told.len(), 2 * stages.len(), "{told:?}");

    let mut late = Events::of(&bank, run_id).await;
    assert_eq!(late.next().await, Some(("run".to_owned(), last)), "of a finished run, the run at once");
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_when_the_run_has_finished() {
    let mut stack = Stack::plan().workers(0).start().await;
    let bank = stack.bank().await;
    let run_id = bank.submit(valid_form()).await;
    let poll = bank.get(&format!("/v1/runs/{run_id}?wait=60")).send();
    let (waited, ()) = tokio::join!(poll, stack.add_worker());
    let (status, run) = json(waited.expect("an answer")).await;
    assert_eq!((status, &run["status"], &run["verdict"]), (StatusCode::OK, &json!("success"), &json!(true)));

    let now = bank.get(&format!("/v1/runs/{run_id}")).send().await.expect("an answer");
    let etag = now.headers()["etag"].clone();
    let again = bank.get(&format!("/v1/runs/{run_id}")).header("if-none-match", etag).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
}
