//! Ways in: repeats under a key, JSON with a stored object, and ways to wait for the end.

use harness::caller::{answer, json, run_id, valid_form};
use harness::papers::{APPLICANT, certificate, pdf};
use harness::stack::Stack;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_run_and_its_result() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let submit = || bank.post("/v1/runs").header("idempotency-key", "loan-1").multipart(valid_form());
    let (_, first) = answer(submit()).await;
    bank.finished(run_id(&first)).await;
    let repeat = submit().header("prefer", "wait=60").send().await.expect("an answer");
    assert_eq!(repeat.headers()["idempotent-replayed"], "true");
    let (status, again) = json(repeat).await;
    assert_eq!((status, &again["run_id"], &again["verdict"]), (StatusCode::OK, &first["run_id"], &json!(true)));
    assert_eq!((stack.count("verification_runs").await, stack.count("ocr_pages").await), (1, 1));
    assert_eq!(stack.stored(), 2, "one document and the picture of its page");
}

#[tokio::test]
async fn a_caller_that_prefers_to_wait_gets_the_finished_run_at_once() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let submitted = bank.post("/v1/runs").header("prefer", "wait=60").multipart(valid_form()).send().await;
    let submitted = submitted.expect("an answer");
    assert_eq!(submitted.headers()["preference-applied"], "wait=60");
    let (status, run) = json(submitted).await;
    assert_eq!((status, &run["status"], &run["verdict"]), (StatusCode::OK, &json!("success"), &json!(true)));
    let (_, found) = answer(bank.get(&format!("/v1/runs/{}", run_id(&run)))).await;
    assert_eq!(run, found, "it is the run as anybody reads it");
}

#[tokio::test]
async fn a_stored_object_is_submitted_by_its_key_and_goes_unless_it_is_kept() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let incoming = stack.documents().join("incoming/bank");
    std::fs::create_dir_all(&incoming).expect("a folder");
    for (name, keep) in [("moved.pdf", false), ("kept.pdf", true)] {
        std::fs::write(incoming.join(name), pdf(&[&certificate()])).expect("the object is stored");
        let body = json!({"object_key": format!("incoming/bank/{name}"), "keep_object": keep, "fio": APPLICANT});
        let (status, accepted) = answer(bank.post("/v1/runs").json(&body)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        let run = bank.finished(run_id(&accepted)).await;
        assert_eq!((&run["verdict"], &run["original_filename"]), (&json!(true), &json!(name)));
        assert_eq!(incoming.join(name).exists(), keep);
    }
}

#[tokio::test]
async fn a_run_is_found_by_its_words_as_soon_as_it_has_finished() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let run = bank.judged(valid_form()).await;
    for query in ["q=безработного", "fio=круглов", "status=success"] {
        let (_, mut listed) = answer(bank.get(&format!("/v1/runs?{query}"))).await;
        let snippet = listed["items"][0].as_object_mut().and_then(|item| item.remove("snippet"));
        assert_eq!(listed["items"], json!([run]), "{query}");
        let marked = snippet.is_some_and(|snippet| snippet.as_str().is_some_and(|text| text.contains("<mark>")));
        assert_eq!(marked, query.starts_with("q="), "what stands around the words is shown where words are looked for");
    }
    let (_, none) = answer(bank.get("/v1/runs?q=лошадь")).await;
    assert_eq!(none["items"], json!([]));
}
