//! Whose run it is: keys made with the command line, other clients, missing scopes, revoked keys.

use harness::caller::{Caller, answer, valid_form};
use harness::stack::Stack;
use harness::until::until;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use uuid::Uuid;

fn every_call(caller: &Caller, run_id: Uuid) -> Vec<RequestBuilder> {
    let of_run = |route: &str| format!("/v1/runs/{run_id}{route}");
    let reads = ["", "?wait=1", "/events", "/document", "/pages", "/pages/1/image", "/llm-calls", "/callbacks"];
    let mut calls: Vec<_> = reads.iter().map(|route| caller.get(&of_run(route))).collect();
    calls.extend(["/retry", "/callbacks/redeliver"].iter().map(|route| caller.post(&of_run(route))));
    calls.push(caller.delete(&of_run("")));
    calls
}

#[tokio::test]
async fn another_clients_run_is_not_there_on_any_route() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let (other, _) = stack.client("other", "submit,read,admin").await;
    let run = bank.judged(valid_form()).await;
    let run_id = harness::caller::run_id(&run);
    for call in every_call(&other, run_id) {
        let (status, problem) = answer(call).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("NOT_FOUND")));
    }
    let (_, listed) = answer(other.get("/v1/runs")).await;
    assert_eq!(listed["items"], json!([]));
    assert_eq!(bank.run(run_id).await, run, "and nothing has happened to it");
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let stack = Stack::start().await;
    let (submitter, _) = stack.client("bank", "submit").await;
    let (reader, _) = stack.client("bank", "read").await;
    let run_id = submitter.submit(valid_form()).await;
    assert_eq!(reader.finished(run_id).await["verdict"], true, "keys of one client see the same runs");
    let refused = [
        submitter.get(&format!("/v1/runs/{run_id}")),
        submitter.delete(&format!("/v1/runs/{run_id}")),
        reader.post("/v1/runs").multipart(valid_form()),
        reader.delete(&format!("/v1/runs/{run_id}")),
    ];
    for call in refused {
        let (status, problem) = answer(call).await;
        assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("FORBIDDEN")));
    }
    assert_eq!(stack.count("verification_runs").await, 1);
}

#[tokio::test]
async fn an_operator_reads_the_runs_of_all_clients_with_their_names() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let (operator, _) = stack.client("operations", "read,operator").await;
    let run_id = harness::caller::run_id(&bank.judged(valid_form()).await);
    assert_eq!(operator.run(run_id).await["client"], "bank");
    let (_, listed) = answer(operator.get("/v1/runs")).await;
    assert_eq!(listed["items"][0]["client"], "bank");
}

#[tokio::test]
async fn a_revoked_key_stops_working() {
    let stack = Stack::plan().workers(0).start().await;
    let bank = stack.bank().await;
    assert_eq!(answer(bank.get("/v1/runs")).await.0, StatusCode::OK);
    stack.rb_ocr(&["keys", "revoke", &bank.key()[..10]]).await;
    let refused = until("refusal", async || {
        let (status, problem) = answer(bank.get("/v1/runs")).await;
        (status != StatusCode::OK).then_some((status, problem))
    })
    .await;
    assert_eq!((refused.0, &refused.1["code"]), (StatusCode::UNAUTHORIZED, &json!("UNAUTHENTICATED")));
}
