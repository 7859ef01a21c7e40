//! An outside service that fails is left alone, and no run pays for it.

use futures::future::join_all;
use harness::caller::valid_form;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Fault, Ocr};
use harness::until::until;
use serde_json::Value;

use harness::papers::certificate;

async fn get(stack: &Stack, route: &str) -> reqwest::Response {
    reqwest::get(format!("{}{route}", stack.workers[0].url())).await.expect("the worker answers")
}

async fn openings(stack: &Stack) -> usize {
    let metrics = get(stack, "/metrics").await.text().await.expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix("rb_ocr_breaker_openings_total{service=\"ocr\"} "));
    line.map_or(0, |count| count.parse().expect("a count"))
}

async fn run_slots(stack: &Stack) -> i32 {
    sqlx::query_scalar("SELECT run_slots FROM workers").fetch_one(stack.database().pool()).await.expect("one worker")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_ocr_is_away_runs_wait_without_losing_an_attempt_and_it_is_left_alone() {
    let ocr = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    ocr.outage(Some(Fault::Status(503, None)));
    let stack = Stack::plan().ocr(ocr.base_url()).set("WORKER_CONCURRENCY", "8").start().await;
    let bank = stack.bank().await;
    let runs = join_all((0..12).map(|_| bank.submit(valid_form()))).await;

    until("worker that takes no runs", async || (run_slots(&stack).await == 0).then_some(())).await;
    let ready = get(&stack, "/readyz").await;
    assert_eq!(ready.status(), 200, "it can do nothing about it and is ready");
    let ready: Value = ready.json().await.expect("JSON");
    assert!(ready["warnings"].to_string().contains("ocr"), "{ready}");
    // Whoever was under way meets the open breaker and is given back.
    until("run in hand", async || (stack.count("jobs WHERE lease_token IS NOT NULL").await == 0).then_some(())).await;
    let (before, opened) = (ocr.requests(), openings(&stack).await);
    until("two more probes", async || (openings(&stack).await >= opened + 2).then_some(())).await;
    let (probes, requests) = (openings(&stack).await - opened, ocr.requests() - before);
    assert!(requests <= probes + 1, "{requests} requests for {probes} probes");

    ocr.outage(None);
    for run_id in runs {
        let run = bank.finished(run_id).await;
        assert_eq!((run["status"].as_str(), run["attempts"].as_i64()), (Some("success"), Some(1)), "{run}");
    }
    until("worker that takes runs again", async || (run_slots(&stack).await == 8).then_some(())).await;
}
