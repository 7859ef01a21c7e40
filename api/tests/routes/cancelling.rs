//! `POST /v1/runs/{run_id}/cancel`. What it meets in the database is tested with the statements, in `tests`.

use reqwest::StatusCode;
use serde_json::json;

use super::service::{Service, json_of, problem};

#[tokio::test]
async fn a_run_that_is_processing_ends_at_once_and_only_once() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run = service.submit(&key).await;
    let cancel = || service.post(&key, &format!("/v1/runs/{run}/cancel")).send();
    let answer = cancel().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let cancelled = json_of(answer).await;
    assert_eq!(
        (&cancelled["run_id"], &cancelled["status"], &cancelled["error_code"], &cancelled["verdict"]),
        (&json!(run), &json!("error"), &json!("CANCELLED"), &json!(null))
    );
    assert_eq!(cancelled["errors"][0]["int_code"], 31);
    let read = json_of(service.get(&key, &format!("/v1/runs/{run}")).send().await.expect("an answer")).await;
    assert_eq!(read, cancelled);
    assert_eq!(service.count("jobs").await, 0);

    assert_eq!(problem(cancel().await.expect("an answer")).await, (409, "RUN_FINISHED".into()));
    let retried = service.post(&key, &format!("/v1/runs/{run}/retry")).send().await.expect("an answer");
    assert_eq!(problem(retried).await, (409, "RUN_NOT_RETRYABLE".into()));
}

#[tokio::test]
async fn a_run_with_a_verdict_is_not_cancelled() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run = service.submit(&key).await;
    service.succeed(run).await;
    let answer = service.post(&key, &format!("/v1/runs/{run}/cancel")).send().await.expect("an answer");
    assert_eq!(problem(answer).await, (409, "RUN_FINISHED".into()));
}

#[tokio::test]
async fn whoever_waits_for_the_run_is_told() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run = service.submit(&key).await;
    let (waits, listens) =
        (service.get(&key, &format!("/v1/runs/{run}?wait=60")), service.get(&key, &format!("/v1/runs/{run}/events")));
    let waits = tokio::spawn(async move { json_of(waits.send().await.expect("an answer")).await });
    // The stream's head comes when its listener is registered.
    let listens = listens.send().await.expect("an answer");
    while service.app.hub.waiters() < 2 {
        tokio::task::yield_now().await;
    }
    let answer = service.post(&key, &format!("/v1/runs/{run}/cancel")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(waits.await.expect("no panic")["error_code"], "CANCELLED");
    let told = listens.text().await.expect("the stream ends");
    assert!(told.contains("event: run\n") && told.contains("CANCELLED"), "{told}");
}
