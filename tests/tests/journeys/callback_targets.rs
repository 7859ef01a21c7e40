//! Where callbacks may not go: judged at intake where it can be seen, else by the address that is dialled.

use harness::caller::{answer, valid_form};
use harness::stack::Stack;
use harness::until::until;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_name_that_leads_inside_the_house_is_refused_when_it_is_dialled() {
    // What is listed may resolve anywhere; this name is not.
    let stack = Stack::plan().set("CALLBACK_ALLOW_HOSTS", "").set("CALLBACK_PAUSES", "1s").start().await;
    let bank = stack.bank().await;
    let run_id = bank.submit(valid_form().text("callback_url", "https://localhost/hook")).await;
    let event = until("event that has failed", async || {
        let (_, events) = answer(bank.get(&format!("/v1/runs/{run_id}/callbacks"))).await;
        events["items"].as_array()?.iter().find(|event| event["state"] == "failed").cloned()
    })
    .await;
    let tries = event["attempts"].as_array().expect("tries");
    assert_eq!(tries.len(), 2, "a name may lead elsewhere later");
    for attempt in tries {
        assert_eq!((&attempt["outcome"], &attempt["status_code"]), (&json!("target_refused"), &json!(null)));
    }
    assert_eq!(bank.run(run_id).await["verdict"], true, "the run is none the worse");
}

#[tokio::test]
async fn an_address_inside_the_house_is_refused_at_intake() {
    let stack = Stack::plan().set("CALLBACK_ALLOW_HOSTS", "").workers(0).start().await;
    let bank = stack.bank().await;
    for url in ["https://127.0.0.1/hook", "http://callbacks.example.kz/hook", "https://[::1]/hook", "https://10.0.0.1/"]
    {
        let (status, problem) = answer(bank.post("/v1/runs").multipart(valid_form().text("callback_url", url))).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("CALLBACK_URL_REFUSED")),
            "{url}"
        );
    }
    assert_eq!((stack.count("verification_runs").await, stack.stored()), (0, 0));
}
