//! `GET /v1/runs`.

use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

use super::service::{Key, Service, json_of, problem, run_id};

async fn listed(service: &Service, key: &Key, query: &str) -> (Vec<Uuid>, Option<String>) {
    let answer = service.get(key, &format!("/v1/runs?{query}")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{query}");
    let page = json_of(answer).await;
    let ids = page["items"].as_array().expect("items").iter().map(run_id).collect();
    (ids, page["next_cursor"].as_str().map(ToOwned::to_owned))
}

#[tokio::test]
async fn runs_are_listed_newest_first_as_soon_as_they_are_accepted() {
    let service = Service::start().await;
    let key = service.bank().await;
    let mut submitted = Vec::new();
    for _ in 0..3 {
        submitted.insert(0, service.submit(&key).await);
        assert_eq!(listed(&service, &key, "").await.0, submitted);
    }
    let page = json_of(service.get(&key, "/v1/runs?limit=1").send().await.expect("an answer")).await;
    let one = json_of(service.get(&key, &format!("/v1/runs/{}", submitted[0])).send().await.expect("an answer")).await;
    assert_eq!(page["items"][0], one);
}

#[tokio::test]
async fn a_walk_meets_every_run_once_while_others_arrive() {
    let service = Service::start().await;
    let key = service.bank().await;
    let mut there = HashSet::new();
    for _ in 0..7 {
        there.insert(service.submit(&key).await);
    }
    let (mut met, mut cursor) = (Vec::new(), None);
    loop {
        let query = cursor.map_or("limit=2".to_owned(), |cursor: String| format!("limit=2&cursor={cursor}"));
        let (ids, next) = listed(&service, &key, &query).await;
        met.extend(ids);
        service.submit(&key).await;
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(met.len(), there.len());
    assert_eq!(met.into_iter().collect::<HashSet<_>>(), there);
}

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let service = Service::start().await;
    let key = service.bank().await;
    let form = super::service::good().text("external_request_id", "52015072").text("iin", "012345678901");
    let finished = run_id(&json_of(service.submission(&key, form).send().await.expect("an answer")).await);
    let form = reqwest::multipart::Form::new()
        .text("fio", "Әлиева Айгүл")
        .part("file", super::service::file(super::service::PDF));
    let processing = run_id(&json_of(service.submission(&key, form).send().await.expect("an answer")).await);
    service.succeed(finished).await;
    let cases = [
        ("status=success", vec![finished]),
        ("status=processing", vec![processing]),
        ("verdict=false", vec![finished]),
        ("verdict=true", vec![]),
        ("error_code=FIO_MISMATCH", vec![finished]),
        ("error_code=OCR_FAILED", vec![]),
        ("fio=%D0%B8%D0%B2%D0%B0%D0%BD%D0%BE%D0%B2", vec![finished]),
        ("fio=%D3%98%D0%9B%D0%98%D0%95%D0%92", vec![processing]),
        ("q=%D0%B4%D0%BE%D1%85%D0%BE%D0%B4%20%D1%81%D0%BF%D1%80%D0%B0%D0%B2%D0%BA%D0%B8", vec![finished]),
        ("q=%D0%BF%D1%80%D0%B8%D0%BA%D0%B0%D0%B7", vec![]),
        ("external_request_id=52015072", vec![finished]),
        ("iin=012345678901", vec![finished]),
        ("created_from=2020-01-01", vec![processing, finished]),
        ("created_to=2020-01-01", vec![]),
        ("status=success&iin=012345678901&verdict=false", vec![finished]),
    ];
    for (query, expected) in cases {
        assert_eq!(listed(&service, &key, query).await.0, expected, "{query}");
    }
    let run = json_of(service.get(&key, &format!("/v1/runs/{finished}")).send().await.expect("an answer")).await;
    let at = run["created_at"].as_str().expect("a time");
    assert!(listed(&service, &key, &format!("created_from={at}&created_to={at}")).await.0.contains(&finished));
}

#[tokio::test]
async fn a_wrong_query_is_told_what_is_wrong() {
    let service = Service::start().await;
    let key = service.bank().await;
    service.submit(&key).await;
    service.submit(&key).await;
    let answer = service.get(&key, "/v1/runs?limit=0&status=x&stauts=error").send().await.expect("an answer");
    assert_eq!(answer.status(), 422);
    let errors = json_of(answer).await["errors"].as_array().expect("errors").len();
    assert_eq!(errors, 3);
    let (_, cursor) = listed(&service, &key, "limit=1").await;
    for query in ["cursor=x".to_owned(), format!("status=error&cursor={}", cursor.expect("a second page"))] {
        let answer = service.get(&key, &format!("/v1/runs?{query}")).send().await.expect("an answer");
        assert_eq!(problem(answer).await, (400, "INVALID_CURSOR".into()));
    }
}

#[tokio::test]
async fn a_page_that_ends_the_listing_has_no_cursor() {
    let service = Service::start().await;
    let key = service.bank().await;
    service.submit(&key).await;
    let page = json_of(service.get(&key, "/v1/runs?limit=1").send().await.expect("an answer")).await;
    assert_eq!(page["next_cursor"], Value::Null);
}
