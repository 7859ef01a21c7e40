//! Callbacks through a real worker, received by the reference library of Standard Webhooks: their three
//! forms, their signatures, and what happens when the endpoint does not take them.

use harness::caller::{Caller, answer, form, valid_form};
use harness::papers::{APPLICANT, certificate_of, encrypted_pdf, pdf};
use harness::stack::Stack;
use harness::standins::receiver::{Answer, Receiver};
use harness::until::until;
use reqwest::StatusCode;
use reqwest::multipart::Form;
use serde_json::{Value, json};
use uuid::Uuid;

/// A system whose client `bank` wants callbacks in this form; the client's secret.
async fn stack(form: &str) -> (Stack, Caller, String) {
    let stack = Stack::start().await;
    let (bank, secret) = stack.client("bank", "submit,read,admin").await;
    stack.rb_ocr(&["clients", "set", "bank", "--callback-form", form]).await;
    (stack, bank, secret.expect("a new client has a secret"))
}

fn told(form: Form, receiver: &Receiver) -> Form {
    form.text("callback_url", receiver.url()).text("external_request_id", "52015072")
}

/// The newest event of a run as soon as it is in this state.
async fn event(bank: &Caller, run_id: Uuid, state: &str) -> Value {
    until(&format!("event that is {state}"), async || {
        let (_, events) = answer(bank.get(&format!("/v1/runs/{run_id}/callbacks"))).await;
        events["items"].as_array()?.iter().find(|event| event["state"] == state).cloned()
    })
    .await
}

fn outcomes(event: &Value) -> Vec<&str> {
    let tries = event["attempts"].as_array().expect("tries").iter();
    tries.map(|attempt| attempt["outcome"].as_str().expect("an outcome")).collect()
}

#[tokio::test]
async fn the_thin_form_tells_the_verdict_and_nothing_of_the_person() {
    let (_stack, bank, secret) = stack("thin").await;
    let receiver = Receiver::start([]).await;
    let run_id = bank.submit(told(valid_form(), &receiver)).await;
    let event = event(&bank, run_id, "delivered").await;
    let received = &receiver.wait_for(1).await[0];
    assert!(received.verifies(&secret));
    assert_eq!(received.header("webhook-id"), event["webhook_id"].as_str());
    assert_eq!(received.basic(), None);
    let body = received.json();
    assert_eq!((&body["type"], &body["sequence"]), (&json!("run.completed"), &json!(1)));
    let data = json!({"run_id": run_id, "external_request_id": "52015072", "status": "success", "verdict": true, "error_codes": []});
    assert_eq!(body["data"], data);
    assert_eq!((outcomes(&event), &event["attempts"][0]["status_code"]), (vec!["delivered"], &json!(200)));
}

#[tokio::test]
async fn the_full_form_holds_the_run_as_the_api_answers_it() {
    let (_stack, bank, secret) = stack("full").await;
    let receiver = Receiver::start([]).await;
    let run_id = bank.submit(told(valid_form(), &receiver)).await;
    let received = &receiver.wait_for(1).await[0];
    assert!(received.verifies(&secret));
    assert_eq!(received.json()["data"], bank.run(run_id).await);
}

#[tokio::test]
async fn the_plain_form_has_integers_and_credentials() {
    let (stack, bank, _) = stack("plain").await;
    stack.rb_ocr(&["clients", "set", "bank", "--callback-basic", "rb:pa:ss"]).await;
    let receiver = Receiver::start([]).await;
    let old = pdf(&[&certificate_of("Круглову Олегу Дмитриевичу", Some("16.11.2020"))]);
    for (form, status, codes) in [
        (valid_form(), "success", json!([])),
        (form(old, "Петров Игорь Семёнович"), "fail", json!([2, 4])),
        (form(encrypted_pdf(), APPLICANT), "fail", json!([15])),
    ] {
        bank.judged(told(form, &receiver)).await;
        let last = until("callback of this run", async || {
            receiver.received().into_iter().find(|received| received.json()["err_codes"] == codes)
        })
        .await;
        assert_eq!(last.json(), json!({"request_id": "52015072", "status": status, "err_codes": codes}));
        assert_eq!(last.basic().as_deref(), Some("rb:pa:ss"));
    }
}

#[tokio::test]
async fn a_run_that_ends_in_error_is_told_as_failed() {
    let (_stack, bank, secret) = stack("thin").await;
    let receiver = Receiver::start([]).await;
    bank.submit(told(form(encrypted_pdf(), APPLICANT), &receiver)).await;
    let received = &receiver.wait_for(1).await[0];
    assert!(received.verifies(&secret));
    let body = received.json();
    assert_eq!((&body["type"], &body["data"]["status"]), (&json!("run.failed"), &json!("error")));
    assert_eq!(
        (&body["data"]["verdict"], &body["data"]["error_codes"]),
        (&Value::Null, &json!(["DOCUMENT_UNREADABLE"]))
    );
}

#[tokio::test]
async fn while_secrets_rotate_the_old_and_the_new_one_verify() {
    let (stack, bank, old) = stack("thin").await;
    let rotated = stack.rb_ocr(&["secrets", "rotate", "bank", "--retire-after", "24h"]).await;
    let new = rotated["callback_secret"].as_str().expect("a new secret");
    let receiver = Receiver::start([]).await;
    bank.submit(told(valid_form(), &receiver)).await;
    let received = &receiver.wait_for(1).await[0];
    assert!(received.verifies(&old) && received.verifies(new));
    stack.rb_ocr(&["secrets", "rotate", "bank", "--retire-after", "0s"]).await;
    bank.submit(told(valid_form(), &receiver)).await;
    let received = &receiver.wait_for(2).await[1];
    assert!(!received.verifies(&old) && !received.verifies(new), "retired secrets sign no more");
}

#[tokio::test]
async fn what_the_endpoint_did_not_take_comes_again_with_the_same_id_and_body() {
    let (_stack, bank, secret) = stack("thin").await;
    let receiver = Receiver::start([Answer::Status(500), Answer::Header(302, "location", "/elsewhere".into())]).await;
    let run_id = bank.submit(told(valid_form(), &receiver)).await;
    let event = event(&bank, run_id, "delivered").await;
    let received = receiver.received();
    assert_eq!(outcomes(&event), ["rejected", "rejected", "delivered"]);
    assert_eq!(received.len(), 3, "the redirect was not followed");
    for again in &received[1..] {
        assert_eq!(again.header("webhook-id"), received[0].header("webhook-id"));
        assert_eq!(again.body, received[0].body);
        assert!(again.verifies(&secret));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_not_called_again_unless_somebody_asks() {
    let (stack, bank, _) = stack("thin").await;
    let receiver = Receiver::start([Answer::Status(410)]).await;
    let run_id = bank.submit(told(valid_form(), &receiver)).await;
    let failed = event(&bank, run_id, "failed").await;
    assert_eq!((outcomes(&failed), stack.count("jobs").await), (vec!["gone"], 0));
    let (status, again) = answer(bank.post(&format!("/v1/runs/{run_id}/callbacks/redeliver"))).await;
    assert_eq!((status, again), (StatusCode::ACCEPTED, json!({"run_id": run_id, "sequence": 1})));
    let delivered = event(&bank, run_id, "delivered").await;
    assert_eq!(outcomes(&delivered), ["gone", "delivered"]);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn tries_that_are_used_up_leave_the_event_failed_and_the_run_as_it_was() {
    let (stack, bank, _) = stack("thin").await;
    let receiver = Receiver::start([500, 503, 404].map(Answer::Status)).await;
    let run_id = bank.submit(told(valid_form(), &receiver)).await;
    let failed = event(&bank, run_id, "failed").await;
    assert_eq!(outcomes(&failed), ["rejected"; 3], "one try and one after each pause");
    assert_eq!(stack.count("jobs").await, 0);
    assert_eq!(bank.run(run_id).await["verdict"], true);
}
