//! What the audit keeps of requests: every look at a run, every search, and nothing of a person.

use serde_json::{Value, json};
use shared::access::Scope;
use uuid::Uuid;

use super::service::{Key, Service, json_of};

const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// Action and details of every event of this key, in order.
async fn events(service: &Service, key: &Key) -> Vec<(String, Value)> {
    let statement = "SELECT action, details FROM audit_events WHERE actor = $1 ORDER BY event_id";
    sqlx::query_as(statement).bind(key.key_id.to_string()).fetch_all(service.pool()).await.expect("events")
}

async fn look(service: &Service, key: &Key, run_id: Uuid, part: &str) {
    let answer = service.get(key, &format!("/v1/runs/{run_id}{part}")).send().await.expect("an answer");
    assert!(answer.status().is_success() || answer.status() == 503, "{part}: {}", answer.status());
}

#[tokio::test]
async fn each_part_of_a_run_that_a_key_looks_at_is_one_event_however_often_it_asks() {
    let service = Service::start().await;
    let (owner, other) = (service.bank().await, service.bank().await);
    let run_id = service.submit(&owner).await;
    service.succeed(run_id).await;
    for _ in 0..3 {
        for part in ["", "?wait=1", "/events", "/pages", "/llm-calls", "/callbacks", "/audit", "/document"] {
            look(&service, &owner, run_id, part).await;
        }
        look(&service, &other, run_id, "").await;
    }
    let actions = |events: Vec<(String, Value)>| events.into_iter().map(|event| event.0).collect::<Vec<_>>();
    assert_eq!(
        actions(events(&service, &owner).await),
        ["run.submitted", "run.read", "pages.read", "llm_calls.read", "callbacks.read", "audit.read", "document.read"]
    );
    assert_eq!(actions(events(&service, &other).await), ["run.read"], "another key is another reader");
}

#[tokio::test]
async fn many_readers_at_once_are_each_kept() {
    let service = Service::start().await;
    let key = service.bank().await;
    let mut runs = Vec::new();
    for _ in 0..20 {
        runs.push(service.submit(&key).await);
    }
    futures::future::join_all(runs.iter().map(|run_id| look(&service, &key, *run_id, ""))).await;
    assert_eq!(service.count("audit_events WHERE action = 'run.read'").await, 20);
}

#[tokio::test]
async fn a_run_is_not_shown_when_the_look_cannot_be_kept() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    sqlx::query("ALTER TABLE audit_events RENAME TO moved").execute(service.pool()).await.expect("is renamed");
    let answer = service.get(&key, &format!("/v1/runs/{run_id}")).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    sqlx::query("ALTER TABLE moved RENAME TO audit_events").execute(service.pool()).await.expect("is renamed");
    look(&service, &key, run_id, "").await;
    assert_eq!(service.count("audit_events WHERE action = 'run.read'").await, 1);
}

#[tokio::test]
async fn a_run_tells_who_did_what_to_it() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    service.succeed(run_id).await;
    look(&service, &key, run_id, "").await;
    let told = json_of(service.get(&key, &format!("/v1/runs/{run_id}/audit")).send().await.expect("an answer")).await;
    let items = told["items"].as_array().expect("a list");
    let actions: Vec<_> = items.iter().map(|event| event["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["audit.read", "run.read", "run.submitted"], "newest first");
    assert_eq!(items[1]["actor"], key.key_id.to_string());
    let name = items[1]["actor_name"].as_str().expect("a name");
    assert!(name.starts_with("bank rbk_") && name.len() < 20, "{name}");
    assert_eq!((&items[1]["ip_address"], &items[1]["outcome"]), (&json!("127.0.0.1"), &json!("done")));
}

#[tokio::test]
async fn a_search_is_kept_as_its_filters_and_its_values_are_hidden() {
    let service = Service::start_with(&[("SECRETS_KEY", KEY)]).await;
    let key = service.key("bank", &[Scope::Read]).await;
    for fio in ["%D0%98%D0%B2%D0%B0%D0%BD", "%D0%B8%D0%B2%D0%B0%D0%BD"] {
        let listed = service.get(&key, &format!("/v1/runs?fio={fio}&status=error&limit=5")).send().await;
        assert!(listed.expect("an answer").status().is_success());
    }
    let kept = events(&service, &key).await;
    assert_eq!(kept[0].0, "runs.searched");
    assert_eq!(kept[0].1, kept[1].1, "the same search, however it was written");
    let filters = kept[0].1["filters"].as_object().expect("filters");
    assert_eq!(filters.keys().collect::<Vec<_>>(), ["fio", "status"]);
    assert!(filters.values().all(|hash| hash.as_str().is_some_and(|hash| hash.len() == 32)), "{filters:?}");
    assert!(!kept[0].1.to_string().to_lowercase().contains("иван"));
}
