//! One trace from the request to the callback.

use harness::caller::{answer, run_id, valid_form};
use harness::stack::Stack;
use harness::standins::receiver::Receiver;
use reqwest::StatusCode;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn the_callers_trace_goes_through_run_logs_and_callback() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let receiver = Receiver::start([]).await;
    let form = valid_form().text("callback_url", receiver.url());
    let (status, accepted) = answer(bank.post("/v1/runs").header("traceparent", TRACEPARENT).multipart(form)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let run = bank.finished(run_id(&accepted)).await;
    assert_eq!(run["trace_id"], TRACE);
    let received = receiver.wait_for(1).await;
    let traceparent = received[0].header("traceparent").expect("a callback says its trace");
    assert!(traceparent.starts_with(&format!("00-{TRACE}-")), "{traceparent}");
    assert_ne!(traceparent, TRACEPARENT, "it is a span of its own");
    let (traced, id) = (format!("\"trace_id\":\"{TRACE}\""), run["run_id"].as_str().expect("an id"));
    for process in [&stack.apis[0].process, &stack.workers[0].process] {
        let log = process.log();
        assert!(log.lines().any(|line| line.contains(&traced) && line.contains(id)), "{log}");
    }
}

#[tokio::test]
async fn a_problem_names_the_trace_that_its_request_had() {
    let stack = Stack::plan().workers(0).start().await;
    let bank = stack.bank().await;
    let request = bank.get("/v1/runs/00000000-0000-7000-8000-000000000000").header("traceparent", TRACEPARENT);
    let (status, problem) = answer(request).await;
    assert_eq!((status, problem["trace_id"].as_str()), (StatusCode::NOT_FOUND, Some(TRACE)));
}
