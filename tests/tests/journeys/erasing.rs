//! DELETE: nothing of a run is left, also of one that is being worked on.

use harness::caller::{Caller, answer, valid_form};
use harness::papers::certificate;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Fault, Ocr};
use harness::standins::receiver::Receiver;
use harness::until::until;
use reqwest::StatusCode;
use reqwest::multipart::Form;
use serde_json::json;
use uuid::Uuid;

/// Waits for the worker's part of an erasure and looks everywhere.
async fn nothing_is_left(stack: &Stack) {
    until("erased files", async || (stack.stored() == 0 && stack.count("jobs").await == 0).then_some(())).await;
    let tables =
        ["verification_runs", "verification_errors", "ocr_pages", "llm_calls", "callbacks", "callback_attempts"];
    for table in tables {
        assert_eq!(stack.count(table).await, 0, "{table}");
    }
    until("empty temporary folder", async || (stack.temporary() == 0).then_some(())).await;
    assert_eq!(stack.count("audit_events WHERE action = 'run.erased'").await, 1, "but that it was done");
}

async fn erase(bank: &Caller, run_id: Uuid) {
    let (status, _) = answer(bank.delete(&format!("/v1/runs/{run_id}"))).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

fn told(receiver: &Receiver) -> Form {
    valid_form().text("callback_url", receiver.url())
}

#[tokio::test]
async fn of_a_finished_run_no_row_job_or_file_is_left() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let receiver = Receiver::start([]).await;
    let submission = bank.post("/v1/runs").header("idempotency-key", "loan-1").multipart(told(&receiver));
    let (_, accepted) = answer(submission).await;
    let run_id = harness::caller::run_id(&accepted);
    bank.finished(run_id).await;
    receiver.wait_for(1).await;
    assert_eq!((stack.stored(), stack.count("ocr_pages").await), (2, 1));

    erase(&bank, run_id).await;
    for route in ["", "?wait=1", "/events", "/document", "/pages", "/pages/1/image", "/llm-calls", "/callbacks"] {
        let (status, problem) = answer(bank.get(&format!("/v1/runs/{run_id}{route}"))).await;
        assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("RUN_ERASED")), "{route}");
    }
    nothing_is_left(&stack).await;
    let repeat = bank.post("/v1/runs").header("idempotency-key", "loan-1").multipart(told(&receiver));
    let (status, problem) = answer(repeat).await;
    assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("RUN_ERASED")), "a repeat does not bring it back");
    assert_eq!(stack.stored(), 0);
}

#[tokio::test]
async fn of_a_running_run_nothing_is_left_and_the_worker_turns_to_the_next() {
    let reading = Behaviour { faults: vec![Fault::Hang], keep_uploads: true, ..Behaviour::reading(&[&certificate()]) };
    let service = Ocr::start(reading).await;
    // Of two slots one is kept for priority high: the next run begins when the erased one has let go of the other.
    let stack = Stack::plan().ocr(service.base_url()).set("WORKER_CONCURRENCY", "2").set("LEASE_SECONDS", "3");
    let stack = stack.start().await;
    let bank = stack.bank().await;
    let run_id = bank.submit(valid_form()).await;
    until("run that is being read", async || (bank.run(run_id).await["stage"] == "read").then_some(())).await;
    erase(&bank, run_id).await;
    let next = bank.judged(valid_form()).await;
    assert_eq!(next["verdict"], true);
    assert_eq!(service.uploads().len(), 2, "the erased run was let go of, not tried on");
    assert_eq!(answer(bank.get(&format!("/v1/runs/{run_id}"))).await.0, StatusCode::GONE);
    assert_eq!(stack.count("verification_runs").await, 1);
    erase(&bank, harness::caller::run_id(&next)).await;
    until("erased files", async || (stack.stored() == 0 && stack.count("jobs").await == 0).then_some(())).await;
}
