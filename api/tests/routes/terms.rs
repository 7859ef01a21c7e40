//! From which day a run and its document are answered with 410, and who learns of it.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::json;
use shared::access::Scope;
use shared::domain::terms::bounds_of;
use uuid::Uuid;

use super::service::{Key, Service, json_of, problem};

/// The first moment of the day so many days ago, where days are counted.
async fn day_began(service: &Service, days: i64) -> DateTime<Utc> {
    let now = shared::store::now(service.pool()).await.expect("the database is there");
    let zone = service.app.rules.terms.zone;
    bounds_of(now.with_timezone(&zone).date_naive() - TimeDelta::days(days), zone).0
}

/// Moves a run to another time: its row becomes one with an id of that time.
async fn moved_to(service: &Service, run_id: Uuid, at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).expect("after 1970");
    let moved = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
    sqlx::query("SELECT make_month_partitions($1, $1)")
        .bind(at.date_naive())
        .execute(service.pool())
        .await
        .expect("the months are made");
    sqlx::query("UPDATE verification_runs SET run_id = $2, created_at = $3 WHERE run_id = $1")
        .bind(run_id)
        .bind(moved)
        .bind(at)
        .execute(service.pool())
        .await
        .expect("the run can be moved");
    moved
}

async fn accepted_at(service: &Service, key: &Key, at: DateTime<Utc>) -> Uuid {
    let run_id = service.submit(key).await;
    service.succeed(run_id).await;
    moved_to(service, run_id, at).await
}

async fn failed_at(service: &Service, key: &Key, at: DateTime<Utc>) -> Uuid {
    let run_id = service.submit(key).await;
    service.fail(run_id, "OCR_FAILED", 20).await;
    moved_to(service, run_id, at).await
}

async fn status(service: &Service, key: &Key, run_id: Uuid, part: &str) -> (u16, String) {
    let answer = service.get(key, &format!("/v1/runs/{run_id}{part}")).send().await.expect("an answer");
    if answer.status() == StatusCode::OK { (200, String::new()) } else { problem(answer).await }
}

#[tokio::test]
async fn a_run_is_gone_from_the_exact_day_whether_or_not_the_disk_has_followed() {
    let service = Service::start().await;
    let key = service.bank().await;
    let moment = TimeDelta::milliseconds(1);
    let (success, error) = (day_began(&service, 89).await, day_began(&service, 179).await);
    let last_of_them = accepted_at(&service, &key, success).await;
    let past = accepted_at(&service, &key, success - moment).await;
    let failed = failed_at(&service, &key, error).await;
    let failed_past = failed_at(&service, &key, error - moment).await;
    for run_id in [last_of_them, failed] {
        assert_eq!(status(&service, &key, run_id, "").await.0, 200);
    }
    for run_id in [past, failed_past] {
        assert_eq!(status(&service, &key, run_id, "").await, (410, "RUN_EXPIRED".into()));
    }
    let listed = json_of(service.get(&key, "/v1/runs").send().await.expect("an answer")).await;
    let listed: Vec<String> = listed["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| run["run_id"].as_str().expect("an id").into())
        .collect();
    assert_eq!(listed, [last_of_them.to_string(), failed.to_string()]);
    let another = service.key("another", &[Scope::Read]).await;
    assert_eq!(status(&service, &another, past, "").await, (404, "NOT_FOUND".into()));
}

#[tokio::test]
async fn a_document_is_gone_from_the_exact_day() {
    let service = Service::start().await;
    let key = service.bank().await;
    let day = day_began(&service, 29).await;
    let last_of_them = accepted_at(&service, &key, day).await;
    let past = accepted_at(&service, &key, day - TimeDelta::milliseconds(1)).await;
    assert_eq!(status(&service, &key, last_of_them, "/document").await.0, 200);
    for part in ["/document", "/pages/1/image"] {
        assert_eq!(status(&service, &key, past, part).await, (410, "DOCUMENT_EXPIRED".into()), "{part}");
    }
    assert_eq!(status(&service, &key, past, "").await.0, 200, "the run is not");
}

#[tokio::test]
async fn an_imported_run_is_answered_for_a_term_from_its_import() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = accepted_at(&service, &key, day_began(&service, 700).await).await;
    assert_eq!(status(&service, &key, run_id, "").await.0, 410);
    service
        .execute("UPDATE verification_runs SET retain_from = now() - interval '80 days' WHERE run_id = $1", run_id)
        .await;
    assert_eq!(status(&service, &key, run_id, "").await.0, 200);
    assert_eq!(status(&service, &key, run_id, "/document").await.1, "DOCUMENT_EXPIRED");
    service
        .execute("UPDATE verification_runs SET retain_from = now() - interval '90 days' WHERE run_id = $1", run_id)
        .await;
    assert_eq!(status(&service, &key, run_id, "").await, (410, "RUN_EXPIRED".into()));
}

#[tokio::test]
async fn a_run_whose_rows_are_in_the_archive_is_expired_to_its_client_and_can_be_erased() {
    let service = Service::start().await;
    let key = service.bank().await;
    let another = service.key("another", &[Scope::Read, Scope::Admin]).await;
    let operator = service.key("operator", &[Scope::Read, Scope::Operator]).await;
    let run_id = Uuid::now_v7();
    let grave = "INSERT INTO archived_runs SELECT $1, client_id FROM clients WHERE name = 'bank'";
    service.execute(grave, run_id).await;
    for key in [&key, &operator] {
        for part in ["", "/document", "/pages", "/events"] {
            assert_eq!(status(&service, key, run_id, part).await, (410, "RUN_EXPIRED".into()), "{part}");
        }
    }
    let path = format!("/v1/runs/{run_id}");
    assert_eq!(status(&service, &another, run_id, "").await, (404, "NOT_FOUND".into()));
    let refused = service.delete(&another, &path).send().await.expect("an answer");
    assert_eq!(problem(refused).await, (404, "NOT_FOUND".into()), "another's run is not erased");
    let erased = service.delete(&key, &path).send().await.expect("an answer");
    assert_eq!(erased.status(), StatusCode::NO_CONTENT);
    assert_eq!(status(&service, &key, run_id, "").await, (410, "RUN_ERASED".into()));
    let again = service.delete(&key, &path).send().await.expect("an answer");
    assert_eq!(problem(again).await, (410, "RUN_ERASED".into()));
    assert_eq!(service.count("erasures").await, 1);
    let listed = json_of(service.get(&key, "/v1/runs").send().await.expect("an answer")).await;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn a_run_past_its_term_that_is_still_on_the_disk_can_be_erased() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = accepted_at(&service, &key, day_began(&service, 95).await).await;
    let erased = service.delete(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer");
    assert_eq!(erased.status(), StatusCode::NO_CONTENT);
    assert_eq!(status(&service, &key, run_id, "").await, (410, "RUN_ERASED".into()));
}
