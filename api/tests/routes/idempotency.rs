//! Idempotency keys.

use reqwest::StatusCode;
use reqwest::multipart::Form;
use serde_json::json;
use shared::access::Scope;

use super::service::{PDF, Service, file, good, json_of, problem, run_id};

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_run_and_not_stored() {
    let service = Service::start().await;
    let key = service.bank().await;
    let first = service.submission(&key, good()).header("idempotency-key", "\"k 1\"").send().await.expect("an answer");
    let expires = first.headers()["idempotency-expires"].clone();
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first = json_of(first).await;
    // Bare is the same key as quoted.
    let again = service.submission(&key, good()).header("idempotency-key", "k 1").send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.headers()["idempotency-expires"], expires);
    assert_eq!(json_of(again).await, first);
    assert_eq!((service.stored(), service.count("verification_runs").await), (1, 1));
}

#[tokio::test]
async fn other_content_under_the_same_key_is_refused() {
    let service = Service::start().await;
    let key = service.bank().await;
    let send = |form: Form| service.submission(&key, form).header("idempotency-key", "k").send();
    assert_eq!(send(good()).await.expect("an answer").status(), StatusCode::ACCEPTED);
    let others = [
        Form::new().text("fio", "Иванов Иван Иванович").part("file", file(b"%PDF-1.5\n")),
        Form::new().text("fio", "Петров Пётр").part("file", file(PDF)),
        good().text("external_request_id", "1"),
    ];
    for form in others {
        let answer = send(form).await.expect("an answer");
        assert_eq!(problem(answer).await, (422, "IDEMPOTENCY_KEY_REUSED".into()));
    }
    assert_eq!((service.stored(), service.count("verification_runs").await), (1, 1));
}

#[tokio::test]
async fn keys_are_each_clients_own() {
    let service = Service::start().await;
    let (one, other) = (service.bank().await, service.key("other", &[Scope::Submit]).await);
    let mut runs = Vec::new();
    for key in [one, other] {
        let answer = service.submission(&key, good()).header("idempotency-key", "k").send().await.expect("an answer");
        runs.push(run_id(&json_of(answer).await));
    }
    assert_ne!(runs[0], runs[1]);
}

#[tokio::test]
async fn while_the_first_is_arriving_a_repeat_is_told_so() {
    let service = Service::start().await;
    let key = service.bank().await;
    let token = uuid::Uuid::new_v4();
    let reserve = shared::store::idempotency::reserve;
    reserve(service.pool(), key.client_id, "k", token).await.expect("is reserved");
    let answer = service.submission(&key, good()).header("idempotency-key", "k").send().await.expect("an answer");
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(problem(answer).await, (409, "IDEMPOTENCY_IN_PROGRESS".into()));
    // Silent for a minute: the key is free, and the first may not complete it any more.
    sqlx::query("UPDATE idempotency_keys SET alive_at = now() - interval '61 seconds'")
        .execute(service.pool())
        .await
        .expect("is changed");
    let answer = service.submission(&key, good()).header("idempotency-key", "k").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let ours = shared::store::idempotency::keep_alive(service.pool(), key.client_id, "k", token).await;
    assert!(!ours.expect("is asked"));
}

#[tokio::test]
async fn a_request_that_was_refused_frees_its_key() {
    let service = Service::start().await;
    let key = service.bank().await;
    let send = |form: Form| service.submission(&key, form).header("idempotency-key", "k").send();
    let refused = send(Form::new().text("fio", "x").part("file", file(PDF))).await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send(good()).await.expect("an answer").status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_key_past_its_term_is_a_new_one() {
    let service = Service::start().await;
    let key = service.bank().await;
    let send = || service.submission(&key, good()).header("idempotency-key", "k").send();
    let first = run_id(&json_of(send().await.expect("an answer")).await);
    sqlx::query("UPDATE idempotency_keys SET expires_at = now()").execute(service.pool()).await.expect("is changed");
    assert_ne!(run_id(&json_of(send().await.expect("an answer")).await), first);
}

#[tokio::test]
async fn a_repeat_by_object_is_known_after_the_first_has_taken_the_object() {
    let service = Service::start().await;
    let key = service.bank().await;
    service.app.documents.put("incoming/bank/a.pdf", PDF.into()).await.expect("is stored");
    let body = |fio: &str| json!({"object_key": "incoming/bank/a.pdf", "fio": fio});
    let send = |fio: &str| service.post(&key, "/v1/runs").header("idempotency-key", "k").json(&body(fio)).send();
    let first = json_of(send("Иванов Иван").await.expect("an answer")).await;
    assert_eq!(json_of(send("Иванов Иван").await.expect("an answer")).await, first);
    assert_eq!(send("Петров Пётр").await.expect("an answer").status(), StatusCode::UNPROCESSABLE_ENTITY);
}
