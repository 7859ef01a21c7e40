//! What is past its term leaves disk and store by a worker's doing, and its caller is told.

use harness::caller::{answer, run_id, valid_form};
use harness::stack::Stack;
use harness::until::until;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_run_past_its_term_is_archived_by_a_worker_and_stays_expired() {
    let stack = Stack::plan().set("RETENTION_SUCCESS", "1s").set("RETENTION_DOCUMENT", "0s").start().await;
    let bank = stack.bank().await;
    let (_, accepted) = answer(bank.post("/v1/runs").multipart(valid_form())).await;
    let run = run_id(&accepted);
    let expired = async || {
        let (status, problem) = answer(bank.get(&format!("/v1/runs/{run}"))).await;
        (status == StatusCode::GONE).then_some(problem)
    };
    assert_eq!(until("an expired run", expired).await["code"], "RUN_EXPIRED");
    // The first round was before the run came: the next day's, and those of the days after.
    let next_day = async || {
        let due = "UPDATE duties SET last_done = now() - interval '2 days', until = now() - interval '1 second'
                   WHERE name = 'retention' AND until < now() + interval '1 second'";
        sqlx::query(due).execute(stack.database().pool()).await.expect("the duty is due");
        let gone = stack.count("verification_runs").await == 0 && stack.count("jobs").await == 0;
        gone.then_some(())
    };
    until("a run in the archive", next_day).await;
    assert_eq!(stack.count("archived_runs").await, 1);
    let (status, problem) = answer(bank.get(&format!("/v1/runs/{run}"))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::GONE, &json!("RUN_EXPIRED")));
    let documents = stack.documents();
    assert!(documents.join("archive").is_dir(), "its rows are in the archive");
    let left = |folder: &str| walk(&documents.join(folder));
    assert_eq!((left("documents"), left("pages")), (0, 0), "and its files are gone");
}

/// Files below a folder.
fn walk(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let entries = entries.map(|entry| entry.expect("is readable").path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}
