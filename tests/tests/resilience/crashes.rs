//! A document that kills its worker five times ends, with a dead letter; the others do not wait for it.

use harness::caller::{codes, form, valid_form};
use harness::papers;
use harness::stack::Stack;
use harness::standins::llm::{Behaviour, Llm};
use harness::until::until;
use serde_json::Value;

/// Who stands in the document that kills.
const KILLER: &str = "Мартынова";

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_kills_its_worker_five_times_ends_with_a_dead_letter_and_holds_up_no_other() {
    // It has to be in hand when the worker dies: its analysis never ends.
    let llm = Llm::start(Behaviour { hang_on: Some(KILLER), ..Behaviour::searching() }).await;
    let mut stack =
        Stack::plan().llm(llm.base_url()).set("LEASE_SECONDS", "3").set("RETRY_PAUSES", "1s,1s,1s,1s").start().await;
    let bank = stack.bank().await;
    let text = papers::certificate_of("Мартынова Павла Сергеевича", Some("16.11.2026"));
    let killer = bank.submit(form(papers::pdf(&[&text]), "Мартынов Павел Сергеевич")).await;
    for attempt in 1..=5 {
        let held = format!("jobs WHERE lease_token IS NOT NULL AND attempts = {attempt} AND stage <> 'acquire'");
        until("killer in hand", async || (stack.count(&held).await == 1).then_some(())).await;
        if attempt == 1 {
            let other = bank.judged(valid_form()).await;
            assert_eq!((other["status"].as_str(), other["attempts"].as_i64()), (Some("success"), Some(1)), "{other}");
        }
        stack.workers.last_mut().expect("a worker").process.kill();
        stack.add_worker().await;
    }
    let run = bank.finished(killer).await;
    assert_eq!((codes(&run), run["attempts"].as_i64()), (vec!["UNKNOWN_ERROR"], Some(5)), "{run}");
    let (reason, attempts): (String, i32) = sqlx::query_as("SELECT reason, attempts FROM dead_jobs WHERE run_id = $1")
        .bind(killer)
        .fetch_one(stack.database().pool())
        .await
        .expect("a dead letter");
    assert!(attempts == 5 && reason.contains("crashed or hung"), "{attempts}: {reason}");
    let other: Value = bank.judged(valid_form()).await;
    assert_eq!(other["status"], "success", "{other}");
}
