//! Waiting for the end of a run: `?wait`, `Prefer: wait`, and events.

use futures::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::domain::Stage;
use shared::queue::events::{RunEvent, StageState, What};
use uuid::Uuid;

use super::service::{Service, good, json_of, problem, run_id};
use harness::until::until;

async fn somebody_waits(service: &Service, run_id: Uuid) {
    // The waiter is registered when the hub has one for the run: only then is there a receiver.
    until("waiter", async || service.app.hub.is_waited_for(run_id).then_some(())).await;
}

#[tokio::test]
async fn a_wait_is_answered_as_soon_as_the_run_has_finished() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let waiting = tokio::spawn(service.get(&key, &format!("/v1/runs/{run_id}?wait=60")).send());
    somebody_waits(&service, run_id).await;
    service.succeed(run_id).await;
    service.app.hub.dispatch(RunEvent { run_id, what: What::Finished });
    let run = json_of(waiting.await.expect("runs").expect("an answer")).await;
    assert_eq!(run["status"], "success");
    // One that has finished is answered at once.
    let run = json_of(service.get(&key, &format!("/v1/runs/{run_id}?wait=60")).send().await.expect("an answer")).await;
    assert_eq!(run["status"], "success");
}

#[tokio::test]
async fn an_end_that_the_broker_did_not_tell_of_is_found_by_looking() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let waiting = tokio::spawn(service.get(&key, &format!("/v1/runs/{run_id}?wait=60")).send());
    somebody_waits(&service, run_id).await;
    service.succeed(run_id).await;
    service.app.hub.look(service.pool()).await.expect("looks");
    assert_eq!(json_of(waiting.await.expect("runs").expect("an answer")).await["status"], "success");
}

#[tokio::test]
async fn a_wait_that_is_over_answers_what_is_there_and_a_longer_one_is_refused() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let run = json_of(service.get(&key, &format!("/v1/runs/{run_id}?wait=0")).send().await.expect("an answer")).await;
    assert_eq!(run["status"], "processing");
    let answer = service.get(&key, &format!("/v1/runs/{run_id}?wait=61")).send().await.expect("an answer");
    assert_eq!(problem(answer).await, (422, "VALIDATION_FAILED".into()));
}

#[tokio::test]
async fn a_submission_that_waits_is_answered_with_the_finished_run() {
    let service = Service::start().await;
    let key = service.bank().await;
    let waiting = tokio::spawn(
        service.submission(&key, good()).header("prefer", "wait=30").header("idempotency-key", "k").send(),
    );
    until("run", async || (service.count("verification_runs").await == 1).then_some(())).await;
    let run_id: Uuid =
        sqlx::query_scalar("SELECT run_id FROM verification_runs").fetch_one(service.pool()).await.expect("a run");
    service.succeed(run_id).await;
    service.app.hub.look(service.pool()).await.expect("looks");
    let answer = waiting.await.expect("runs").expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["preference-applied"], "wait=30");
    assert_eq!(json_of(answer).await["status"], "success");
    let repeat = service.submission(&key, good()).header("prefer", "wait=600").header("idempotency-key", "k");
    let repeat = repeat.send().await.expect("an answer");
    assert_eq!(
        (repeat.status(), &repeat.headers()["preference-applied"]),
        (StatusCode::OK, &"wait=60".parse().expect("a value"))
    );
    assert_eq!(repeat.headers()["idempotent-replayed"], "true");
}

#[tokio::test]
async fn a_submission_whose_wait_is_over_is_accepted() {
    let service = Service::start().await;
    let key = service.bank().await;
    let answer = service.submission(&key, good()).header("prefer", "wait=1").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(answer.headers().get("preference-applied").is_none());
}

#[tokio::test]
async fn events_begin_with_a_snapshot_tell_each_stage_once_and_end_with_the_run() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let answer = service.get(&key, &format!("/v1/runs/{run_id}/events")).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = Events::of(answer);
    let (name, snapshot) = events.next().await;
    assert_eq!((name.as_str(), &snapshot["stage"], &snapshot["attempts"]), ("snapshot", &json!("queued"), &json!(0)));
    let at = "2026-11-22T08:11:00.123Z".parse().expect("a time");
    let tell = |stage, state| {
        service.app.hub.dispatch(RunEvent { run_id, what: What::Stage { stage, state, attempt: 1, at } });
    };
    tell(Stage::Acquire, StageState::Started);
    tell(Stage::Acquire, StageState::Started);
    tell(Stage::Acquire, StageState::Ended);
    let (name, started) = events.next().await;
    assert_eq!(name, "stage");
    let expected = json!({"run_id": run_id, "stage": "acquire", "state": "started", "attempt": 1, "at": "2026-11-22T08:11:00.123Z"});
    assert_eq!(started, expected);
    assert_eq!(events.next().await.1["state"], "ended");
    // What the broker lost is made good by a look.
    service.execute("UPDATE jobs SET stage = 'classify', attempts = 1 WHERE run_id = $1", run_id).await;
    service.app.hub.look(service.pool()).await.expect("looks");
    let mut made_good = Vec::new();
    for _ in 0..3 {
        let (_, event) = events.next().await;
        made_good.push(format!("{} {}", event["stage"], event["state"]).replace('"', ""));
    }
    assert_eq!(made_good, ["read started", "read ended", "classify started"]);
    service.succeed(run_id).await;
    service.app.hub.dispatch(RunEvent { run_id, what: What::Finished });
    let (mut name, mut event) = events.next().await;
    while name == "stage" {
        (name, event) = events.next().await;
    }
    assert_eq!((name.as_str(), &event["status"]), ("run", &json!("success")));
    assert!(events.is_over().await);
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_say_says_that_it_lives() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let mut answer = service.get(&key, &format!("/v1/runs/{run_id}/events")).send().await.expect("an answer");
    let comment = async { while !answer.chunk().await.expect("a stream").expect("a chunk").starts_with(b": ") {} };
    // What wakes the stream again and again and brings nothing new to say.
    let at = "2026-11-22T08:11:00Z".parse().expect("a time");
    let what = What::Stage { stage: Stage::Acquire, state: StageState::Started, attempt: 1, at };
    let told_again = async {
        loop {
            service.app.hub.dispatch(RunEvent { run_id, what: what.clone() });
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        () = comment => {}
        () = told_again => {}
    }
}

#[tokio::test]
async fn the_events_of_a_finished_run_are_the_run_at_once() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    let mut events =
        Events::of(service.get(&key, &format!("/v1/runs/{run_id}/events")).send().await.expect("an answer"));
    let (name, run) = events.next().await;
    assert_eq!((name.as_str(), &run["status"]), ("run", &json!("success")));
    assert!(events.is_over().await);
}

#[tokio::test]
async fn who_waits_is_answered_when_the_api_is_asked_to_end() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run = service.submit(&key).await;
    let waiting = tokio::spawn(service.get(&key, &format!("/v1/runs/{run}?wait=60")).send());
    somebody_waits(&service, run).await;
    service.app.stopping.cancel();
    let answer = json_of(waiting.await.expect("runs").expect("an answer")).await;
    assert_eq!((run_id(&answer), &answer["status"]), (run, &json!("processing")));
}

/// A stream of Server-Sent Events.
struct Events {
    body: futures::stream::BoxStream<'static, Vec<u8>>,
    text: String,
}

impl Events {
    fn of(answer: reqwest::Response) -> Self {
        let body = answer.bytes_stream().map(|chunk| chunk.expect("a chunk").to_vec()).boxed();
        Self { body, text: String::new() }
    }

    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let mut lines = event.lines();
                let Some(name) = lines.next().and_then(|line| line.strip_prefix("event: ")) else { continue };
                let data = lines.next().and_then(|line| line.strip_prefix("data: ")).expect("data");
                return (name.to_owned(), serde_json::from_str(data).expect("JSON"));
            }
            let chunk = self.body.next().await.expect("another event");
            self.text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }

    async fn is_over(&mut self) -> bool {
        self.text.is_empty() && self.body.next().await.is_none()
    }
}
