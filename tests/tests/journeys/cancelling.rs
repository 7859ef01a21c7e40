//! Cancel: a run that is being worked on ends at once, and whatever was under way changes nothing.

use harness::caller::{answer, valid_form};
use harness::papers::certificate;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Fault, Ocr};
use harness::standins::receiver::Receiver;
use harness::until::until;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_running_run_ends_at_once_is_told_of_and_its_worker_turns_to_the_next() {
    let reading = Behaviour { faults: vec![Fault::Hang], keep_uploads: true, ..Behaviour::reading(&[&certificate()]) };
    let service = Ocr::start(reading).await;
    // Of two slots one is kept for priority high: the next run begins when the cancelled one has let go of the other.
    let stack = Stack::plan().ocr(service.base_url()).set("WORKER_CONCURRENCY", "2").set("LEASE_SECONDS", "3");
    let stack = stack.start().await;
    let bank = stack.bank().await;
    let receiver = Receiver::start([]).await;
    let run_id = bank.submit(valid_form().text("callback_url", receiver.url())).await;
    until("run that is being read", async || (bank.run(run_id).await["stage"] == "read").then_some(())).await;

    let (status, cancelled) = answer(bank.post(&format!("/v1/runs/{run_id}/cancel"))).await;
    assert_eq!((status, &cancelled["status"]), (StatusCode::OK, &json!("error")));
    assert_eq!(cancelled["errors"][0]["code"], "CANCELLED");
    let told = receiver.wait_for(1).await;
    assert_eq!(told.len(), 1);

    let next = bank.judged(valid_form()).await;
    assert_eq!(next["verdict"], true);
    assert_eq!(service.uploads().len(), 2, "the cancelled run was let go of, not tried on");
    assert_eq!(bank.run(run_id).await, cancelled, "it stays as it ended");
    let (status, problem) = answer(bank.post(&format!("/v1/runs/{run_id}/cancel"))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("RUN_FINISHED")));
    until("end of all that is owed", async || (stack.count("jobs").await == 0).then_some(())).await;
    assert_eq!(stack.count("callbacks").await, 1);
}
