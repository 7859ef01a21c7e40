//! Who may do what: keys, scopes, and that nobody sees another's runs, on any route.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use shared::access::Scope;
use uuid::Uuid;

use super::service::{Key, Service, json_of, problem};

/// Every route that names a run.
const OF_A_RUN: &[(&str, &str, Scope)] = &[
    ("GET", "/v1/runs/{run_id}", Scope::Read),
    ("GET", "/v1/runs/{run_id}?wait=1", Scope::Read),
    ("GET", "/v1/runs/{run_id}/events", Scope::Read),
    ("GET", "/v1/runs/{run_id}/document", Scope::Read),
    ("GET", "/v1/runs/{run_id}/pages", Scope::Read),
    ("GET", "/v1/runs/{run_id}/pages/1/image", Scope::Read),
    ("GET", "/v1/runs/{run_id}/llm-calls", Scope::Read),
    ("GET", "/v1/runs/{run_id}/callbacks", Scope::Read),
    ("GET", "/v1/runs/{run_id}/audit", Scope::Read),
    ("POST", "/v1/runs/{run_id}/callbacks/redeliver", Scope::Submit),
    ("POST", "/v1/runs/{run_id}/retry", Scope::Submit),
    ("POST", "/v1/runs/{run_id}/cancel", Scope::Submit),
    ("DELETE", "/v1/runs/{run_id}", Scope::Admin),
];

/// Every other route below /v1.
const OTHERS: &[(&str, &str, Scope)] = &[
    ("GET", "/v1/runs", Scope::Read),
    ("POST", "/v1/runs", Scope::Submit),
    ("GET", "/v1/stats/daily", Scope::Read),
    ("GET", "/v1/stats/errors", Scope::Read),
    ("GET", "/v1/stats/latency", Scope::Read),
    ("GET", "/v1/stats/llm", Scope::Read),
    ("GET", "/v1/stats/slow-runs", Scope::Read),
    ("GET", "/v1/stats/recent-failures", Scope::Read),
];

fn request(service: &Service, key: &Key, method: &str, path: &str, run_id: Uuid) -> reqwest::RequestBuilder {
    let url = format!("{}{}", service.url, path.replace("{run_id}", &run_id.to_string()));
    service.http.request(method.parse::<Method>().expect("a method"), url).bearer_auth(&key.key)
}

#[tokio::test]
async fn the_tables_of_these_tests_have_every_route() {
    let service = Service::start().await;
    let answer = service.http.get(format!("{}/openapi.json", service.url)).send().await.expect("an answer");
    let description = json_of(answer).await;
    assert!(description["openapi"].as_str().expect("a version").starts_with("3.1"));
    let mut described = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        if path.starts_with("/v1/") {
            described.extend(item.as_object().expect("methods").keys().map(|m| format!("{} {path}", m.to_uppercase())));
        }
    }
    described.sort();
    let mut tested: Vec<String> = OF_A_RUN
        .iter()
        .chain(OTHERS)
        .filter(|(_, path, _)| !path.contains('?'))
        .map(|(method, path, _)| format!("{method} {}", path.replace("/1/", "/{page_number}/")))
        .collect();
    tested.sort();
    assert_eq!(described, tested);
}

#[tokio::test]
async fn another_clients_run_is_not_found_on_any_route() {
    let service = Service::start().await;
    let (owner, stranger) =
        (service.bank().await, service.key("stranger", &[Scope::Read, Scope::Submit, Scope::Admin]).await);
    let run_id = service.submit(&owner).await;
    service.succeed(run_id).await;
    for (method, path, _) in OF_A_RUN {
        let answer = request(&service, &stranger, method, path, run_id).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (404, "NOT_FOUND".into()), "{method} {path}");
        let unknown = request(&service, &owner, method, path, Uuid::now_v7()).send().await.expect("an answer");
        assert_eq!(problem(unknown).await, (404, "NOT_FOUND".into()), "{method} {path} of an unknown run");
    }
    let listed = json_of(service.get(&stranger, "/v1/runs").send().await.expect("an answer")).await;
    assert_eq!(listed["items"], serde_json::json!([]));
    assert_eq!(service.count("verification_runs").await, 1);
}

#[tokio::test]
async fn a_missing_scope_is_refused_on_every_route() {
    let service = Service::start().await;
    let run_id = service.submit(&service.bank().await).await;
    for (method, path, scope) in OF_A_RUN.iter().chain(OTHERS) {
        let others: Vec<Scope> =
            [Scope::Read, Scope::Submit, Scope::Admin].into_iter().filter(|s| s != scope).collect();
        let key = service.key("bank", &others).await;
        let answer = request(&service, &key, method, path, run_id).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (403, "FORBIDDEN".into()), "{method} {path}");
    }
    assert_eq!(service.count("verification_runs").await, 1);
}

#[tokio::test]
async fn without_a_good_key_nothing_is_answered() {
    let service = Service::start().await;
    let key = service.bank().await;
    let run_id = service.submit(&key).await;
    for (method, path, _) in OF_A_RUN.iter().chain(OTHERS) {
        for bad in ["", "rbk_unknown", "nonsense"] {
            let bad = Key { key: bad.into(), ..key_of(&key) };
            let answer = request(&service, &bad, method, path, run_id).send().await.expect("an answer");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"rb-ocr\"");
            assert_eq!(problem(answer).await, (401, "UNAUTHENTICATED".into()), "{method} {path}");
        }
    }
}

fn key_of(key: &Key) -> Key {
    Key { client_id: key.client_id, key_id: key.key_id, key: key.key.clone() }
}

#[tokio::test]
async fn a_revoked_key_stops_working() {
    let service = Service::start().await;
    let key = service.bank().await;
    shared::store::api_keys::revoke(service.pool(), Some(key.key_id), "").await.expect("is revoked");
    let answer = service.get(&key, "/v1/runs").send().await.expect("an answer");
    assert_eq!(problem(answer).await, (401, "UNAUTHENTICATED".into()));
}

#[tokio::test]
async fn an_operator_reads_the_runs_of_all_is_told_whose_they_are_and_leaves_a_trace() {
    let service = Service::start().await;
    let run_id = service.submit(&service.bank().await).await;
    let operator = service.key("operations", &[Scope::Operator]).await;
    let before = service.count("audit_events").await;
    let run = json_of(service.get(&operator, &format!("/v1/runs/{run_id}")).send().await.expect("an answer")).await;
    assert_eq!(run["client"], "bank");
    let listed = json_of(service.get(&operator, "/v1/runs").send().await.expect("an answer")).await;
    assert_eq!(listed["items"][0]["client"], "bank");
    assert_eq!(service.count("audit_events").await, before + 2);
    for part in ["pages", "llm-calls", "callbacks", "audit"] {
        let answer = service.get(&operator, &format!("/v1/runs/{run_id}/{part}")).send().await.expect("an answer");
        assert_eq!(json_of(answer).await["client"], "bank", "{part}");
    }
    let mut events = service.get(&operator, &format!("/v1/runs/{run_id}/events")).send().await.expect("an answer");
    let snapshot = events.chunk().await.expect("a stream").expect("an event");
    assert!(
        snapshot.starts_with(b"event: snapshot\n")
            && String::from_utf8_lossy(&snapshot).contains("\"client\":\"bank\"")
    );
    // The stream is of the run, which was looked at a moment ago.
    assert_eq!(service.count("audit_events").await, before + 6);
    let erased = service.delete(&operator, &format!("/v1/runs/{run_id}")).send().await.expect("an answer");
    assert_eq!(erased.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let service = Service::start().await;
    let key = service.bank().await;
    for path in ["/", "/v1", "/v1/stats", "/v1/runs/not-an-id", "/v1/runs/x/nothing", "/nothing", "/docs/nothing.js"] {
        let answer = service.get(&key, path).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (404, "NOT_FOUND".into()), "{path}");
    }
    let answer = service.http.put(format!("{}/v1/runs", service.url)).send().await.expect("an answer");
    let allowed = answer.headers()["allow"].to_str().expect("text").to_owned();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    assert_eq!(problem(answer).await, (405, "METHOD_NOT_ALLOWED".into()));
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let service = Service::start_with(&[("JUDGE_AS_OF", "2026-11-22")]).await;
    let get = async |path: &str| service.http.get(format!("{}{path}", service.url)).send().await.expect("an answer");
    assert_eq!(json_of(get("/healthz").await).await["status"], "ok");
    let ready = get("/readyz").await;
    let (status, ready) = (ready.status(), json_of(ready).await);
    assert_eq!((status, &ready["status"]), (StatusCode::OK, &Value::from("ready")), "{ready}");
    assert_eq!(ready["down"], serde_json::json!(["broker"]));
    assert!(ready["warnings"][0].as_str().expect("a warning").contains("JUDGE_AS_OF"));
    let metrics = get("/metrics").await.text().await.expect("text");
    assert!(metrics.contains("rb_ocr_http_requests_total{route=\"/readyz\""), "{metrics}");
    assert_eq!(get("/docs/").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn without_its_database_the_api_says_so_and_when_to_come_back() {
    let service = Service::start().await;
    let key = service.bank().await;
    service.pool().close().await;
    let answer = service.get(&key, "/v1/runs").send().await.expect("an answer");
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(problem(answer).await, (503, "DATABASE_UNAVAILABLE".into()));
    let ready = service.http.get(format!("{}/readyz", service.url)).send().await.expect("an answer");
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(json_of(ready).await["down"].as_array().expect("names").contains(&Value::from("database")));
}
