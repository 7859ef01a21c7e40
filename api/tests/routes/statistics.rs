//! `/v1/stats/…`: what the figures look like, whose they are, and which questions are refused.

use chrono::{NaiveDate, Utc};
use serde_json::{Value, json};
use shared::access::Scope;
use shared::store::stats;
use uuid::Uuid;

use super::service::{Key, Service, json_of, problem};

const ALL: [&str; 6] = ["daily", "errors", "latency", "llm", "slow-runs", "recent-failures"];

async fn asked(service: &Service, key: &Key, route: &str) -> Value {
    let answer = service.get(key, &format!("/v1/stats/{route}")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{route}");
    json_of(answer).await
}

fn today() -> NaiveDate {
    Utc::now().with_timezone(&chrono_tz::Asia::Almaty).date_naive()
}

/// Counts what the tests' own statements ended, which leave nothing for the figures.
async fn count(service: &Service) {
    for day in [today().pred_opt(), Some(today())].into_iter().flatten() {
        stats::rebuild_day(service.pool(), day, chrono_tz::Asia::Almaty).await.expect("is rebuilt");
    }
}

/// Two runs of the bank, one with a verdict; one of the shop that failed.
async fn three_runs(service: &Service) -> (Key, Key, Uuid, Uuid) {
    let bank = service.bank().await;
    let shop = service.key("shop", &[Scope::Read, Scope::Submit]).await;
    let (judged, failed) = (service.submit(&bank).await, service.submit(&bank).await);
    let other = service.submit(&shop).await;
    service.succeed(judged).await;
    service.fail(failed, "OCR_FAILED", 20).await;
    service.fail(other, "LLM_FAILED", 23).await;
    for (run_id, seconds) in [(judged, 2), (failed, 40), (other, 90)] {
        let sql = format!("UPDATE verification_runs SET duration_seconds = {seconds} WHERE run_id = $1");
        service.execute(&sql, run_id).await;
    }
    service
        .execute(
            "INSERT INTO llm_calls VALUES ($1, 1, 1, 'extractor', 'm-1', now(), 1.5, 100, 10, 110, 0.25, 'ok')",
            judged,
        )
        .await;
    count(service).await;
    (bank, shop, judged, failed)
}

fn on(day: NaiveDate, figures: &Value) -> &Value {
    let days = figures["items"].as_array().expect("days");
    days.iter().find(|item| item["day"] == json!(day)).expect("every day is there")
}

#[tokio::test]
async fn a_dashboard_finds_what_it_shows() {
    let service = Service::start().await;
    let (bank, _, judged, failed) = three_runs(&service).await;

    let daily = asked(&service, &bank, "daily").await;
    assert_eq!((&daily["time_zone"], &daily["created_to"]), (&json!("Asia/Almaty"), &json!(today())));
    assert_eq!(daily["items"].as_array().expect("days").len(), 30, "days with nothing are there too");
    let total = json!({
        "ended": 2, "runs": 2, "retries": 0, "success": 1, "accepted": 0, "refused": 1, "error": 1,
        "success_rate": 0.5, "accepted_rate": 0.0, "duplicates": 1, "pages": 1,
    });
    assert_eq!(daily["total"], total);
    assert_eq!(on(today(), &daily)["ended"], 2);
    let hours = daily["hours"].as_array().expect("hours").iter();
    assert_eq!(hours.map(|hour| hour["ended"].as_i64().expect("a number")).sum::<i64>(), 2);
    let unknown = json!({ "doc_type": null, "accepted": 0, "refused": 1, "error": 1 });
    assert_eq!(daily["document_types"], json!([unknown]));
    assert!(daily.get("client").is_none(), "a client knows who it is");

    let errors = asked(&service, &bank, "errors").await;
    assert_eq!(errors["ended"], 2);
    let ocr = json!({
        "error_code": "OCR_FAILED", "int_code": 20, "status": "error", "category": "server_error",
        "count": 1, "first": 1, "share": 0.5,
    });
    assert!(errors["items"].as_array().expect("items").contains(&ocr), "{errors}");

    let latency = asked(&service, &bank, "latency").await;
    assert_eq!(latency["percentiles"], json!({ "method": "log_histogram", "max_relative_error": 0.02 }));
    let duration = &latency["items"][0];
    assert_eq!(
        (&duration["measure"], &duration["count"], &duration["sum_seconds"]),
        (&json!("duration"), &json!(2), &json!(42.0))
    );
    assert_eq!(duration["average_seconds"], 21.0);
    for (name, exact) in [("p50_seconds", 2.0), ("p90_seconds", 40.0), ("p99_seconds", 40.0)] {
        let value = duration[name].as_f64().expect("a number");
        assert!((value - exact).abs() <= 0.02 * exact, "{name}: {value}");
    }
    assert_eq!((&latency["items"][2]["count"], &latency["items"][2]["p50_seconds"]), (&json!(0), &Value::Null));
    assert_eq!(latency["days"][0]["day"], json!(today()));

    let llm = asked(&service, &bank, "llm").await;
    let calls = json!({
        "model": "m-1", "calls": 1, "failed": 0, "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
        "cost": 0.25, "seconds": 1.5,
    });
    assert_eq!(llm["items"], json!([calls]));
    assert_eq!(llm["days"][0]["cost"], 0.25);

    let ids = |runs: &Value| {
        runs["items"].as_array().expect("runs").iter().map(|run| run["run_id"].clone()).collect::<Vec<_>>()
    };
    let slow = asked(&service, &bank, "slow-runs").await;
    assert_eq!(ids(&slow), [json!(failed), json!(judged)]);
    assert_eq!(ids(&asked(&service, &bank, "slow-runs?limit=1").await), [json!(failed)]);
    assert_eq!(slow["items"][0]["timings"]["duration_seconds"], 40.0);
    let failures = asked(&service, &bank, "recent-failures").await;
    assert_eq!(ids(&failures), [json!(failed)]);
    assert_eq!(failures["items"][0]["error_code"], "OCR_FAILED");
    for runs in [&slow, &failures] {
        assert!(!runs.to_string().contains("Иванов"), "no name");
    }
}

#[tokio::test]
async fn a_client_sees_its_own_and_an_operator_all_or_one_and_leaves_a_trace() {
    let service = Service::start().await;
    let (bank, shop, ..) = three_runs(&service).await;
    let operator = service.key("operations", &[Scope::Operator]).await;
    let ended = async |key: &Key, query: &str| {
        let daily = asked(&service, key, &format!("daily{query}")).await;
        (daily["total"]["ended"].as_i64().expect("a number"), daily["client"].clone())
    };
    assert_eq!(ended(&bank, "").await.0, 2);
    assert_eq!(ended(&shop, "").await.0, 1);
    let before = service.count("audit_events").await;
    assert_eq!(ended(&operator, "").await, (3, Value::Null));
    assert_eq!(ended(&operator, "?client=shop").await, (1, json!("shop")));
    assert_eq!(service.count("audit_events").await, before + 2);
    let failures = asked(&service, &operator, "recent-failures").await;
    assert_eq!((&failures["items"][0]["client"], &failures["items"][1]["client"]), (&json!("shop"), &json!("bank")));
    let own = asked(&service, &shop, "errors").await;
    assert_eq!(
        (own["items"].as_array().expect("items").len(), &own["items"][0]["error_code"]),
        (1, &json!("LLM_FAILED"))
    );
    for route in ["slow-runs", "recent-failures"] {
        let runs = asked(&service, &shop, route).await;
        assert_eq!(runs["items"].as_array().expect("runs").len(), 1, "{route}");
        assert!(runs["items"][0].get("client").is_none());
    }
    let answer = service.get(&operator, "/v1/stats/llm?client=nobody").send().await.expect("an answer");
    assert_eq!(problem(answer).await, (422, "VALIDATION_FAILED".into()));
}

#[tokio::test]
async fn days_are_those_that_were_asked_for() {
    let service = Service::start().await;
    let (bank, ..) = three_runs(&service).await;
    let (today, yesterday) = (today(), today().pred_opt().expect("a day"));
    for (query, ended) in [
        (format!("created_from={today}"), 2),
        (format!("created_from={yesterday}&created_to={yesterday}"), 0),
        (format!("created_from={today}T00:00:00%2B05:00&created_to={today}T23:59:59%2B05:00"), 2),
    ] {
        let daily = asked(&service, &bank, &format!("daily?{query}")).await;
        assert_eq!(daily["total"]["ended"], ended, "{query}");
        assert_eq!(daily["items"].as_array().expect("days").len(), 1, "{query}");
        let runs = asked(&service, &bank, &format!("recent-failures?{query}")).await["items"].clone();
        assert_eq!(runs.as_array().expect("runs").len(), ended / 2, "{query}");
    }
    let empty = asked(&service, &bank, &format!("daily?created_to={yesterday}")).await;
    assert_eq!((&empty["total"]["ended"], &empty["total"]["success_rate"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_told_why() {
    let service = Service::start().await;
    let bank = service.bank().await;
    for route in ALL {
        for (query, faults) in [
            ("created_from=x&created_to=2026-02-30&what=1", 3),
            ("created_from=2026-11-02&created_to=2026-11-01", 1),
            ("created_from=1999-01-01", 1),
            ("client=bank", 1),
            ("limit=0", 1),
            ("limit=51", 1),
        ] {
            let answer = service.get(&bank, &format!("/v1/stats/{route}?{query}")).send().await.expect("an answer");
            assert_eq!(answer.status(), 422, "{route}?{query}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let errors = json_of(answer).await["errors"].as_array().expect("errors").len();
            assert_eq!(errors, faults, "{route}?{query}");
        }
    }
}
