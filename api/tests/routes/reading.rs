//! What can be read of a run, and for how long.

use reqwest::StatusCode;
use serde_json::json;

use super::service::{PDF, Service, json_of, problem};

#[tokio::test]
async fn a_finished_run_has_its_checks_errors_and_pages() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let path = format!("/v1/runs/{run_id}");
    let before = json_of(service.get(&key, &path).send().await.expect("an answer")).await;
    assert!(before["checks"].is_null() && before["extracted"].is_null() && before["evidence"].is_null());
    service.succeed(run_id).await;
    let run = json_of(service.get(&key, &path).send().await.expect("an answer")).await;
    assert_eq!((&run["status"], &run["verdict"], &run["stage"]), (&json!("success"), &json!(false), &json!("done")));
    assert_eq!(run["checks"]["fio_match"], false);
    assert_eq!(run["error_code"], "FIO_MISMATCH");
    assert_eq!(run["errors"][0]["int_code"], 4);
    let pages = json_of(service.get(&key, &format!("{path}/pages")).send().await.expect("an answer")).await;
    assert_eq!(pages["items"][0]["text_content"], "Справка о неполучении доходов");
    assert_eq!(pages["items"][0]["source"], "tesseract");
    let calls = json_of(service.get(&key, &format!("{path}/llm-calls")).send().await.expect("an answer")).await;
    assert_eq!(calls, json!({"items": []}));
}

#[tokio::test]
async fn a_tag_saves_what_has_not_changed() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let get = |tag: Option<String>| {
        let request = service.get(&key, &format!("/v1/runs/{run_id}"));
        tag.map_or_else(|| service.get(&key, &format!("/v1/runs/{run_id}")), |tag| request.header("if-none-match", tag))
            .send()
    };
    let tag = get(None).await.expect("an answer").headers()["etag"].to_str().expect("text").to_owned();
    let same = get(Some(tag.clone())).await.expect("an answer");
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(same.headers()["etag"], tag);
    service.succeed(run_id).await;
    let changed = get(Some(tag.clone())).await.expect("an answer");
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(changed.headers()["etag"], tag);
}

#[tokio::test]
async fn the_document_is_an_attachment_under_its_own_name() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    let answer = service.get(&key, &format!("/v1/runs/{run_id}/document")).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let disposition = answer.headers()["content-disposition"].to_str().expect("ASCII").to_owned();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert!(disposition.ends_with("filename*=UTF-8''%D0%BF%D1%80%D0%B8%D0%BA%D0%B0%D0%B7.pdf"), "{disposition}");
    assert_eq!(answer.bytes().await.expect("a body"), PDF);
}

#[tokio::test]
async fn a_page_is_shown_as_it_was_read() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    service
        .app
        .documents
        .put(&format!("pages/{run_id}"), (&b"\xFF\xD8\xFF picture"[..]).into())
        .await
        .expect("is stored");
    let image = |page: &str| service.get(&key, &format!("/v1/runs/{run_id}/pages/{page}/image")).send();
    let answer = image("1").await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert_eq!(answer.bytes().await.expect("a body"), &b"\xFF\xD8\xFF picture"[..]);
    for page in ["2", "0", "x", "99999999999"] {
        assert_eq!(problem(image(page).await.expect("an answer")).await, (404, "NOT_FOUND".into()), "{page}");
    }
}

#[tokio::test]
async fn a_document_past_its_term_is_gone_while_its_run_is_not() {
    let service = Service::start_with(&[("RETENTION_DOCUMENT", "0s")]).await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    for part in ["document", "pages/1/image"] {
        let answer = service.get(&key, &format!("/v1/runs/{run_id}/{part}")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (410, "DOCUMENT_EXPIRED".into()), "{part}");
    }
    let run = service.get(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer");
    assert_eq!(run.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_run_past_its_term_is_gone_on_every_route() {
    let service = Service::start_with(&[("RETENTION_SUCCESS", "0s")]).await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    for part in ["", "/events", "/document", "/pages", "/pages/1/image", "/llm-calls", "/callbacks", "/audit"] {
        let answer = service.get(&key, &format!("/v1/runs/{run_id}{part}")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (410, "RUN_EXPIRED".into()), "{part}");
    }
    let listed = json_of(service.get(&key, "/v1/runs").send().await.expect("an answer")).await;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn the_calls_of_the_model_are_shown_with_their_cost() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    let call = "INSERT INTO llm_calls VALUES ($1, 1, 1, 'extractor', 'm', now(), 1.5, 10, 5, 15, 0.002, 'ok')";
    service.execute(call, run_id).await;
    let calls =
        json_of(service.get(&key, &format!("/v1/runs/{run_id}/llm-calls")).send().await.expect("an answer")).await;
    let call = &calls["items"][0];
    assert_eq!(
        (&call["call_type"], &call["total_tokens"], &call["cost"]),
        (&json!("extractor"), &json!(15), &json!(0.002))
    );
}
