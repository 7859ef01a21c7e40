//! What failed and may pass: tried again inside a stage, by further attempts, and by `retry`.

use harness::caller::{answer, codes, form, run_id, valid_form};
use harness::papers::{APPLICANT, TITLE, certificate, pdf};
use harness::stack::Stack;
use harness::standins::receiver::Receiver;
use harness::standins::{llm, ocr};
use reqwest::StatusCode;
use serde_json::json;

fn reading(faults: Vec<ocr::Fault>) -> ocr::Behaviour {
    ocr::Behaviour { faults, ..ocr::Behaviour::reading(&[&certificate()]) }
}

/// A paper that the model's stand-in finds its way in, and its model.
async fn asking(faults: Vec<llm::Fault>) -> (String, llm::Llm) {
    let text =
        format!("Карьерный центр города Актау\n{TITLE}\nВыдана {APPLICANT},\nзарегистрирован, дата выдачи 16.11.2026");
    (text, llm::Llm::start(llm::Behaviour { faults, ..llm::Behaviour::searching() }).await)
}

#[tokio::test]
async fn an_ocr_service_that_is_away_for_a_moment_costs_no_attempt() {
    let service = ocr::Ocr::start(reading(vec![ocr::Fault::Status(503, None)])).await;
    let stack = Stack::plan().ocr(service.base_url()).start().await;
    let run = stack.bank().await.judged(valid_form()).await;
    assert_eq!((&run["verdict"], &run["attempts"]), (&json!(true), &json!(1)));
}

#[tokio::test]
async fn a_reading_that_failed_is_made_good_by_the_next_attempt() {
    let service = ocr::Ocr::start(reading(vec![ocr::Fault::Failed])).await;
    let stack = Stack::plan().ocr(service.base_url()).start().await;
    let run = stack.bank().await.judged(valid_form()).await;
    assert_eq!((&run["verdict"], &run["attempts"], codes(&run)), (&json!(true), &json!(2), vec![]));
    assert_eq!(stack.count("verification_errors").await, 0);
}

#[tokio::test]
async fn a_model_that_is_busy_for_a_moment_costs_no_attempt() {
    let (text, model) = asking(vec![llm::Fault::Status(429, Some("0")), llm::Fault::Status(500, None)]).await;
    let stack = Stack::plan().llm(model.base_url()).start().await;
    let bank = stack.bank().await;
    let run = bank.judged(form(pdf(&[&text]), APPLICANT)).await;
    assert_eq!((&run["verdict"], &run["attempts"]), (&json!(true), &json!(1)), "{run}");
    let (_, calls) = answer(bank.get(&format!("/v1/runs/{}/llm-calls", run_id(&run)))).await;
    let good = calls["items"].as_array().expect("calls").iter().filter(|call| call["outcome"] == "ok");
    let mut kinds: Vec<_> = good.map(|call| call["call_type"].as_str().expect("a type")).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["doc_type_check", "extractor"], "{calls}");
}

#[tokio::test]
async fn a_model_that_answers_nonsense_is_asked_again_by_the_next_attempt() {
    let nonsense = || llm::Fault::Content("{\"doc_type\": \"приказ\"}".into());
    let (text, model) = asking((0..2).map(|_| nonsense()).collect()).await;
    let stack = Stack::plan().llm(model.base_url()).start().await;
    let run = stack.bank().await.judged(form(pdf(&[&text]), APPLICANT)).await;
    assert_eq!((&run["verdict"], &run["status"]), (&json!(true), &json!("success")), "{run}");
}

#[tokio::test]
async fn when_all_tries_are_used_up_the_run_ends_and_a_retry_begins_a_second_generation() {
    // Two for each attempt: one for the upload and one for the question after it.
    let service = ocr::Ocr::start(reading(vec![ocr::Fault::Failed; 6])).await;
    let stack = Stack::plan().ocr(service.base_url()).start().await;
    let (bank, secret) = stack.client("bank", "submit,read,admin").await;
    let receiver = Receiver::start([]).await;
    let run_id = bank.submit(valid_form().text("callback_url", receiver.url())).await;
    let failed = bank.finished(run_id).await;
    assert_eq!(
        (&failed["status"], &failed["attempts"], codes(&failed)),
        (&json!("error"), &json!(3), vec!["OCR_FAILED"])
    );
    assert_eq!((&failed["errors"][0]["retryable"], &failed["generation"]), (&json!(true), &json!(1)));
    receiver.wait_for(1).await;

    let (status, again) = answer(bank.post(&format!("/v1/runs/{run_id}/retry"))).await;
    assert_eq!((status, &again["status"]), (StatusCode::ACCEPTED, &json!("processing")));
    let run = bank.finished(run_id).await;
    assert_eq!((&run["verdict"], &run["generation"], &run["attempts"]), (&json!(true), &json!(2), &json!(1)));
    assert_eq!(codes(&run), Vec::<&str>::new(), "the errors are those of the newest generation");
    let received = receiver.wait_for(2).await;
    let told: Vec<_> =
        received.iter().map(|event| (event.json()["type"].clone(), event.json()["sequence"].clone())).collect();
    assert_eq!(told, [(json!("run.failed"), json!(1)), (json!("run.completed"), json!(2))]);
    assert!(received.iter().all(|event| event.verifies(secret.as_deref().expect("a secret"))));
    let (status, problem) = answer(bank.post(&format!("/v1/runs/{run_id}/retry"))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("RUN_NOT_RETRYABLE")));
}
