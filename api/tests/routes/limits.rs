//! Overload is refused: the rate of a client, and the backlog of all.

use futures::future::join_all;
use reqwest::{Response, StatusCode};
use shared::access::Scope;
use shared::store::clients::{self, Change};

use super::service::{Key, Service, good, json_of, problem, run_id};

/// A window that does not end while a test runs.
const RATE: &str = "20/1000000";

async fn submitted(service: &Service, key: &Key) -> Response {
    service.submission(key, good()).send().await.expect("an answer")
}

async fn accepted(service: &Service, key: &Key) -> bool {
    submitted(service, key).await.status() == StatusCode::ACCEPTED
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().expect("text")
}

#[tokio::test]
async fn the_limit_of_a_client_is_the_same_whichever_api_answers() {
    let one = Service::start_with(&[("RATE_LIMIT", RATE)]).await;
    let other = one.another(&[("RATE_LIMIT", RATE)]).await;
    let key = one.bank().await;
    let at_once = (0..30).map(|n| accepted(if n % 2 == 0 { &one } else { &other }, &key));
    let mut count = join_all(at_once).await.into_iter().filter(|accepted| *accepted).count();
    assert!(count <= 20, "{count}");
    // What lies idle in one api goes to whoever asks.
    for service in [&one, &other] {
        service.app.rate.give_back(service.pool()).await.expect("the database is there");
    }
    let third = one.another(&[("RATE_LIMIT", RATE)]).await;
    while accepted(&third, &key).await {
        count += 1;
    }
    assert_eq!((count, one.count("verification_runs").await), (20, 20));

    let answer = submitted(&third, &key).await;
    assert_eq!(header(&answer, "ratelimit-policy"), "\"default\";q=20;w=1000000");
    let until = header(&answer, "retry-after").to_owned();
    assert!((1..=1_000_000).contains(&until.parse::<u32>().expect("seconds")));
    assert_eq!(header(&answer, "ratelimit"), format!("\"default\";r=0;t={until}"));
    assert_eq!(problem(answer).await, (429, "RATE_LIMITED".into()));
    assert!(third.app.metrics.encode().contains("rb_ocr_submissions_refused_total{code=\"RATE_LIMITED\"}"));
}

#[tokio::test]
async fn what_is_left_is_told_with_every_answer_and_refused_submissions_count() {
    let service = Service::start_with(&[("RATE_LIMIT", RATE)]).await;
    let key = service.bank().await;
    let left = |answer: &Response| header(answer, "ratelimit").split(';').nth(1).map(ToOwned::to_owned);
    assert_eq!(left(&submitted(&service, &key).await).as_deref(), Some("r=19"));
    let bad = service.submission(&key, good().text("iin", "1")).send().await.expect("an answer");
    assert_eq!((bad.status().as_u16(), left(&bad).as_deref()), (422, Some("r=18")));
    let unread = service.get(&key, "/v1/runs").send().await.expect("an answer");
    assert!(!unread.headers().contains_key("ratelimit"), "reading is not limited");
    let without = service.key("bank", &[Scope::Read]).await;
    let forbidden = submitted(&service, &without).await;
    assert!(!forbidden.headers().contains_key("ratelimit"));
    assert_eq!(left(&submitted(&service, &key).await).as_deref(), Some("r=17"));
}

#[tokio::test]
async fn a_client_has_its_own_rate_over_all_its_keys_and_others_have_theirs() {
    let service = Service::start_with(&[("RATE_LIMIT", "1/1000000")]).await;
    let (key, other) = (service.bank().await, service.key("other", &[Scope::Submit]).await);
    let rate = async |count| {
        let change = Change { rate_limit: Some((count, 1_000_000)), ..Change::default() };
        assert!(clients::change(service.pool(), key.client_id, &change).await.expect("is changed"));
        // A key that is remembered has the old rate for three seconds.
        service.bank().await
    };
    let key_of_two = rate(2).await;
    assert!(accepted(&service, &key_of_two).await && accepted(&service, &key_of_two).await);
    assert!(!accepted(&service, &key_of_two).await);
    let key_of_three = rate(3).await;
    assert!(accepted(&service, &key_of_three).await, "the new rate is in force");
    assert!(!accepted(&service, &key_of_three).await, "and counts what was submitted before");
    assert!(accepted(&service, &other).await);
    assert!(!accepted(&service, &other).await);
}

#[tokio::test]
async fn a_submission_over_the_limit_leaves_nothing_behind() {
    let service = Service::start_with(&[("RATE_LIMIT", "1/1000000")]).await;
    let key = service.bank().await;
    assert!(accepted(&service, &key).await);
    let refused = service.submission(&key, good()).header("Idempotency-Key", "k").send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!((service.stored(), service.count("idempotency_keys").await), (1, 0));
}

#[tokio::test]
async fn without_its_database_a_submission_is_told_when_to_come_back() {
    let service = Service::start().await;
    let key = service.bank().await;
    assert!(accepted(&service, &key).await);
    service.pool().close().await;
    let answers = join_all((0..5).map(|_| submitted(&service, &key))).await;
    for answer in answers {
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(problem(answer).await, (503, "DATABASE_UNAVAILABLE".into()));
    }
}

#[tokio::test]
async fn a_full_backlog_refuses_and_a_run_that_is_worked_on_is_none_of_it() {
    let full = [("BACKLOG_MAX", "3")];
    let service = Service::start_with(&full).await;
    let key = service.bank().await;
    let answers = join_all((0..10).map(|_| submitted(&service, &key))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status() == 202);
    assert_eq!((accepted.len(), service.count("verification_runs").await), (3, 3));
    assert_eq!(service.stored(), 3);
    for answer in refused {
        assert_eq!(answer.headers().get_all("retry-after").iter().collect::<Vec<_>>(), ["30"]);
        assert_eq!(problem(answer).await, (503, "BACKLOG_FULL".into()));
    }

    let other = service.another(&full).await;
    assert_eq!(submitted(&other, &key).await.status(), StatusCode::SERVICE_UNAVAILABLE, "another api counts them too");
    let worked_on = run_id(&json_of(accepted.into_iter().next().expect("three")).await);
    let lease = "UPDATE jobs SET published_at = now(), lease_token = gen_random_uuid(), lease_owner = 'worker',
                 leased_at = now(), lease_until = now() + interval '30 seconds' WHERE run_id = $1";
    service.execute(lease, worked_on).await;
    let third = service.another(&full).await;
    assert_eq!(submitted(&third, &key).await.status(), StatusCode::ACCEPTED);
    assert_eq!(submitted(&third, &key).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_repeat_is_answered_although_the_backlog_is_full_and_a_refusal_frees_its_key() {
    let service = Service::start_with(&[("BACKLOG_MAX", "1")]).await;
    let key = service.bank().await;
    let with = async |name: &str| {
        service.submission(&key, good()).header("Idempotency-Key", name).send().await.expect("an answer")
    };
    let first = with("first").await;
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    let first = run_id(&json_of(first).await);
    assert_eq!(problem(with("second").await).await, (503, "BACKLOG_FULL".into()));
    let repeat = with("first").await;
    assert_eq!(header(&repeat, "idempotent-replayed"), "true");
    assert_eq!(run_id(&json_of(repeat).await), first);
    assert_eq!(service.count("idempotency_keys").await, 1);
}

#[tokio::test]
async fn a_submission_that_is_refused_for_its_content_gives_its_place_back() {
    let service = Service::start_with(&[("BACKLOG_MAX", "1")]).await;
    let key = service.bank().await;
    for _ in 0..3 {
        let bad = service.submission(&key, good().text("iin", "1")).send().await.expect("an answer");
        assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(accepted(&service, &key).await);
}
