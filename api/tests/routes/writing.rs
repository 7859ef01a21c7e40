//! Retry, redelivery, erasing.

use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::store::switches::{self, Switch};

use super::service::{Service, good, json_of, problem, run_id};

#[tokio::test]
async fn a_run_that_ended_in_a_retryable_error_begins_a_new_generation() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run = service.submit(&key).await;
    let retry = || service.post(&key, &format!("/v1/runs/{run}/retry")).send();
    assert_eq!(problem(retry().await.expect("an answer")).await, (409, "RUN_NOT_FINISHED".into()));
    service.fail(run, "OCR_FAILED", 20).await;
    let answer = retry().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.headers()["location"], format!("/v1/runs/{run}"));
    let answer = json_of(answer).await;
    assert_eq!((run_id(&answer), &answer["status"]), (run, &json!("processing")));
    let again = json_of(service.get(&key, &format!("/v1/runs/{run}")).send().await.expect("an answer")).await;
    assert_eq!((&again["generation"], &again["errors"], &again["stage"]), (&json!(2), &json!([]), &json!("queued")));
    let (kind, generation): (String, i32) =
        sqlx::query_as("SELECT kind, generation FROM jobs").fetch_one(service.pool()).await.expect("one job");
    assert_eq!((kind.as_str(), generation), ("run", 2));
}

#[tokio::test]
async fn other_ends_are_not_retried() {
    let service = Service::start().await;
    let key = service.bank().await;
    let (succeeded, failed) = (service.submit(&key).await, service.submit(&key).await);
    service.succeed(succeeded).await;
    service.fail(failed, "DOCUMENT_UNREADABLE", 15).await;
    for run in [succeeded, failed] {
        let answer = service.post(&key, &format!("/v1/runs/{run}/retry")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (409, "RUN_NOT_RETRYABLE".into()));
    }
    assert_eq!(service.count("jobs").await, 0);
}

#[tokio::test]
async fn the_newest_event_is_delivered_again_with_its_id() {
    let service = Service::start().await;
    let key = service.bank().await;
    let form = good().text("callback_url", "https://callbacks.example.kz/x");
    let run = run_id(&json_of(service.submission(&key, form).send().await.expect("an answer")).await);
    let redeliver = || service.post(&key, &format!("/v1/runs/{run}/callbacks/redeliver")).send();
    assert_eq!(problem(redeliver().await.expect("an answer")).await, (409, "RUN_NOT_FINISHED".into()));
    service.succeed(run).await;
    assert_eq!(problem(redeliver().await.expect("an answer")).await.0, 409);
    let event = "INSERT INTO callbacks (run_id, sequence, webhook_id, type, form, url, body, state, ended_at)
                 VALUES ($1, 1, 'msg_1', 'run.completed', 'thin', 'https://callbacks.example.kz/x', '{}', 'failed', now())";
    service.execute(event, run).await;
    service.execute("INSERT INTO callback_attempts VALUES ($1, 1, 1, now(), 0.2, 500, 'rejected')", run).await;
    for _ in 0..2 {
        let answer = redeliver().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(json_of(answer).await, json!({"run_id": run, "sequence": 1}));
    }
    let payload: Value =
        sqlx::query_scalar("SELECT payload FROM jobs").fetch_one(service.pool()).await.expect("one job");
    assert_eq!(payload, json!({"sequence": 1}));
    let listed =
        json_of(service.get(&key, &format!("/v1/runs/{run}/callbacks")).send().await.expect("an answer")).await;
    let event = &listed["items"][0];
    assert_eq!(
        (&event["webhook_id"], &event["state"], &event["type"]),
        (&json!("msg_1"), &json!("pending"), &json!("run.completed"))
    );
    assert_eq!(event["attempts"][0]["status_code"], 500);
    assert!(event["next_attempt_at"].is_string());
}

#[tokio::test]
async fn an_erased_run_is_gone_everywhere_and_its_files_are_owed_to_a_job() {
    let service = Service::start().await;
    let key = service.bank().await;
    for finished in [false, true] {
        let run = service.submit(&key).await;
        if finished {
            service.succeed(run).await;
        }
        let path = format!("/v1/runs/{run}");
        let answer = service.delete(&key, &path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        for part in ["", "?wait=1", "/events", "/document", "/pages", "/pages/1/image", "/llm-calls", "/callbacks"] {
            let answer = service.get(&key, &format!("{path}{part}")).send().await.expect("an answer");
            assert_eq!(problem(answer).await, (410, "RUN_ERASED".into()), "{part}");
        }
        for part in ["/retry", "/cancel", "/callbacks/redeliver"] {
            let answer = service.post(&key, &format!("{path}{part}")).send().await.expect("an answer");
            assert_eq!(problem(answer).await, (410, "RUN_ERASED".into()), "{part}");
        }
        assert_eq!(
            problem(service.delete(&key, &path).send().await.expect("an answer")).await,
            (410, "RUN_ERASED".into())
        );
        let payload: Value = sqlx::query_scalar("DELETE FROM jobs RETURNING payload")
            .fetch_one(service.pool())
            .await
            .expect("one job is left");
        assert_eq!(payload["keys"].as_array().expect("keys").len(), if finished { 2 } else { 1 });
    }
    for table in ["verification_runs", "verification_errors", "ocr_pages", "callbacks"] {
        assert_eq!(service.count(table).await, 0, "{table}");
    }
    assert_eq!(service.count("erasures").await, 2);
    assert_eq!(service.count("audit_events WHERE action = 'run.erased'").await, 2);
}

#[tokio::test]
async fn the_audit_is_never_changed() {
    let service = Service::start().await;
    service.submit(&service.bank().await).await;
    for statement in ["DELETE FROM audit_events", "UPDATE audit_events SET actor = 'x'"] {
        assert!(sqlx::query(statement).execute(service.pool()).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn while_the_intake_is_paused_submissions_are_told_to_come_back_and_all_else_is_answered() {
    let service = Service::start().await;
    let key = service.bank().await;
    let submit =
        async || service.submission(&key, good()).header("idempotency-key", "k").send().await.expect("answers");
    let run_id = run_id(&json_of(submit().await).await);
    switches::pause(service.pool(), Switch::Intake, "operator", "moving house").await.expect("paused");
    service.app.paused.read(service.pool(), &service.app.metrics).await.expect("read");

    let refused = service.submission(&key, good()).send().await.expect("an answer");
    assert_eq!(refused.headers()["retry-after"], "60");
    assert_eq!(problem(refused).await, (503, "BACKLOG_FULL".to_owned()));
    let repeat = submit().await;
    assert_eq!(repeat.headers()["idempotent-replayed"], "true", "what was accepted is still answered");
    assert_eq!(service.get(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer").status(), 200);
    let ready = service.http.get(format!("{}/readyz", service.url)).send().await.expect("an answer");
    assert_eq!(json_of(ready).await["paused"], json!(["intake"]));
    assert!(service.app.metrics.encode().contains("rb_ocr_paused{switch=\"intake\"} 1"));

    switches::resume(service.pool(), Switch::Intake, "operator").await.expect("resumed");
    service.app.paused.read(service.pool(), &service.app.metrics).await.expect("read");
    assert_eq!(service.submission(&key, good()).send().await.expect("an answer").status(), 202);
}
