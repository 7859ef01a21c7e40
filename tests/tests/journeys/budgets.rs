//! What a client may spend on the model in a month, and what happens when it is spent.

use harness::caller::{answer, valid_form};
use harness::stack::Stack;
use harness::standins::llm::{Behaviour, Llm};
use harness::until::until;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// A price at which any call costs more than a small budget.
const DEAR: &str = "another=0/0,stand-in=100000/100000";

#[tokio::test]
async fn a_spent_budget_refuses_or_leaves_the_work_to_the_rules_as_the_client_chose() {
    let model = Llm::start(Behaviour::searching()).await;
    let stack = Stack::plan().llm(model.base_url()).set("LLM_PRICE", DEAR).start().await;
    let bank = stack.bank().await;
    stack.rb_ocr(&["clients", "set", "bank", "--budget", "1.00"]).await;
    // A new key: one that was used is remembered for a moment, without the budget.
    drop(bank);
    let bank = stack.bank().await;
    let (other, _) = stack.client("other", "submit,read").await;
    let run = bank.judged(valid_form()).await;
    // The stand-in finds less than the rules do: by the verdict one sees who has analysed it.
    assert_eq!(
        (&run["status"], &run["verdict"], &run["flags"]),
        (&json!("success"), &json!(false), &json!([])),
        "{run}"
    );
    let refused = until("refusal", async || {
        let (status, problem) = answer(bank.post("/v1/runs").multipart(valid_form())).await;
        (status != StatusCode::ACCEPTED).then_some((status, problem))
    })
    .await;
    assert_eq!((refused.0, &refused.1["code"]), (StatusCode::PAYMENT_REQUIRED, &json!("BUDGET_SPENT")));
    assert_eq!(other.judged(valid_form()).await["status"], "success", "another client has its own");
    until("events of both thresholds", async || {
        (stack.count("audit_events WHERE action = 'client.budget'").await == 2).then_some(())
    })
    .await;
    let shown = stack.rb_ocr(&["clients", "show", "bank"]).await;
    assert!(shown["spent_this_month"].as_f64().expect("a sum") > 1.0, "{shown}");
    assert_eq!(shown["budget"], 1.0);

    stack.rb_ocr(&["clients", "set", "bank", "--over-budget", "rules"]).await;
    let run = until("run by the rules", async || {
        let (status, run) = answer(bank.post("/v1/runs").header("prefer", "wait=30").multipart(valid_form())).await;
        (status == StatusCode::OK && run["flags"] != json!([])).then_some(run)
    })
    .await;
    assert_eq!((&run["verdict"], &run["flags"]), (&json!(true), &json!(["over_budget"])));
    let path = format!("/v1/runs/{}/llm-calls", run["run_id"].as_str().expect("an id"));
    let (_, calls) = answer(bank.get(&path)).await;
    assert_eq!(calls["items"].as_array().map(Vec::len), Some(0), "{calls}");
    let told = "audit_events WHERE action = 'client.budget'";
    assert_eq!(stack.count(told).await, 2, "once a month each");

    stack.rb_ocr(&["clients", "set", "bank", "--budget", "none"]).await;
    let again = until("run by the model", async || {
        let run = bank.judged(valid_form()).await;
        (run["flags"] == json!([])).then_some(run)
    })
    .await;
    assert_eq!(
        (&again["verdict"], stack.rb_ocr(&["clients", "show", "bank"]).await["budget"].clone()),
        (&json!(false), Value::Null)
    );
}
