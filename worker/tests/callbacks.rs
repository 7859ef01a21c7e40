//! Callbacks against a receiver that verifies with the reference library of Standard Webhooks.

use std::time::Duration;

use chrono::Utc;
use harness::standins::receiver::{Answer, Receiver};
use shared::secrets::make_signing_secret;
use shared::settings::{Allowed, Callbacks, Secret};
use shared::telemetry::Metrics;
use uuid::Uuid;
use worker::callbacks::{Attempt, AttemptOutcome, Delivery, NotSent, Sender, test_event};

const BODY: &str = r#"{"type":"run.completed","sequence":1}"#;

fn sender(allowed: &[&str]) -> Sender {
    let allow_hosts = allowed
        .iter()
        .map(|entry| match entry.parse() {
            Ok(net) => Allowed::Net(net),
            Err(_) => Allowed::Host((*entry).to_owned()),
        })
        .collect();
    let settings = Callbacks { allow_hosts, pauses: vec![Duration::from_secs(1)], concurrency: 64 };
    Sender::new(&settings, Metrics::default()).expect("a client")
}

fn delivery<'a>(url: &'a str, secrets: &'a [Secret]) -> Delivery<'a> {
    Delivery { run_id: Uuid::now_v7(), url, webhook_id: "evt_1", body: BODY, secrets, basic: None }
}

async fn sent(sender: &Sender, url: &str) -> Attempt {
    let secrets = [make_signing_secret()];
    sender.send(delivery(url, &secrets), Utc::now()).await.expect("a slot is free")
}

#[tokio::test]
async fn the_receiver_verifies_with_either_live_secret() {
    let receiver = Receiver::start([]).await;
    let secrets = [make_signing_secret(), make_signing_secret()];
    let basic = Secret::new("bank:pa:ss");
    let url = receiver.url();
    let delivery = Delivery { basic: Some(&basic), ..delivery(&url, &secrets) };
    let attempt = sender(&["127.0.0.0/8"]).send(delivery, Utc::now()).await.expect("sent");
    assert_eq!((attempt.outcome, attempt.status_code), (AttemptOutcome::Delivered, Some(200)));

    let received = &receiver.received()[0];
    assert!(secrets.iter().all(|secret| received.verifies(secret.expose())));
    assert!(!received.verifies(make_signing_secret().expose()));
    assert_eq!(received.body, BODY);
    assert_eq!(received.header("webhook-id"), Some("evt_1"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.basic().as_deref(), Some("bank:pa:ss"));
}

#[tokio::test]
async fn only_a_2xx_is_delivered_and_410_is_told_apart() {
    let cases = [
        (200, AttemptOutcome::Delivered),
        (204, AttemptOutcome::Delivered),
        (304, AttemptOutcome::Rejected),
        (400, AttemptOutcome::Rejected),
        (410, AttemptOutcome::Gone),
        (500, AttemptOutcome::Rejected),
    ];
    let receiver = Receiver::start(cases.map(|(status, _)| Answer::Status(status))).await;
    let sender = sender(&["127.0.0.1/32"]);
    for (status, outcome) in cases {
        let attempt = sent(&sender, &receiver.url()).await;
        assert_eq!((attempt.outcome, attempt.status_code), (outcome, Some(status)));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Receiver::start([]).await;
    let receiver = Receiver::start([307, 308, 302].map(|code| Answer::Header(code, "location", target.url()))).await;
    let sender = sender(&["127.0.0.1/32"]);
    for code in [307, 308, 302] {
        let attempt = sent(&sender, &receiver.url()).await;
        assert_eq!((attempt.outcome, attempt.status_code), (AttemptOutcome::Rejected, Some(code)));
    }
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let receiver = Receiver::start([Answer::Header(503, "retry-after", "120".into())]).await;
    let attempt = sent(&sender(&["127.0.0.1/32"]), &receiver.url()).await;
    assert_eq!(attempt.retry_after, Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_name_is_refused_by_the_address_that_it_leads_to() {
    let receiver = Receiver::start([]).await;
    let port = receiver.port();
    let strict = sender(&["203.0.113.7/32"]);
    for url in [format!("https://localhost:{port}/"), format!("https://127.0.0.1:{port}/"), receiver.url()] {
        let attempt = sent(&strict, &url).await;
        assert_eq!((attempt.outcome, attempt.status_code), (AttemptOutcome::TargetRefused, None), "{url}");
    }
    let by_name = sent(&sender(&["localhost"]), &format!("http://localhost:{port}/hook")).await;
    assert_eq!(by_name.outcome, AttemptOutcome::Delivered, "a listed name may lead anywhere");
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_unreachable() {
    let port = Receiver::start([]).await.port();
    let attempt = sent(&sender(&["127.0.0.1/32"]), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!((attempt.outcome, attempt.status_code), (AttemptOutcome::Unreachable, None));
}

#[tokio::test]
async fn a_long_answer_counts_and_is_not_read_to_its_end() {
    let receiver = Receiver::start([Answer::Body(200, 32 * 1024 * 1024)]).await;
    let attempt = sent(&sender(&["127.0.0.1/32"]), &receiver.url()).await;
    assert_eq!(attempt.outcome, AttemptOutcome::Delivered);
}

#[tokio::test]
async fn a_host_gets_four_deliveries_at_once_and_the_next_is_given_back() {
    let receiver = Receiver::start(std::iter::repeat_n(Answer::Hang, 4)).await;
    let sender = sender(&["127.0.0.1/32"]);
    let url = receiver.url();
    let secrets = [make_signing_secret()];
    let send = || sender.send(delivery(&url, &secrets), Utc::now());
    let four = futures::future::join_all((0..4).map(|_| send()));
    let fifth = async {
        receiver.wait_for(4).await;
        send().await
    };
    tokio::select! {
        _ = four => panic!("the four hang longer than the fifth waits"),
        fifth = fifth => assert_eq!(fifth, Err(NotSent::HostBusy)),
    }
    assert_eq!(receiver.received().len(), 4);
    assert_eq!(sent(&sender, &url).await.outcome, AttemptOutcome::Delivered, "dropped deliveries free their places");
}

#[tokio::test]
async fn without_an_answer_it_times_out() {
    let receiver = Receiver::start([Answer::Hang]).await;
    let impatient = sender(&["127.0.0.1/32"]).answer_within(Duration::from_millis(50));
    let attempt = sent(&impatient, &receiver.url()).await;
    assert_eq!((attempt.outcome, attempt.status_code), (AttemptOutcome::TimedOut, None));
}

#[tokio::test]
async fn a_test_event_is_signed_and_names_itself() {
    let receiver = Receiver::start([]).await;
    let secrets = [make_signing_secret()];
    let attempt =
        test_event(&sender(&["127.0.0.1/32"]), &receiver.url(), &secrets, None, Uuid::from_u128(7), Utc::now()).await;
    assert_eq!(attempt.expect("sent").outcome, AttemptOutcome::Delivered);
    let received = &receiver.received()[0];
    assert!(received.verifies(secrets[0].expose()));
    assert_eq!(received.json()["type"], "test");
    assert!(!received.header("webhook-id").expect("it has one").contains('.'));
}

#[tokio::test]
async fn ten_thousand_callbacks_to_a_host_that_fails_make_few_requests_and_others_are_delivered_meanwhile() {
    let failing = Receiver::start(std::iter::repeat_n(Answer::Status(503), 20_000)).await;
    let good = Receiver::start([]).await;
    let sender = sender(&["127.0.0.1/32"]);
    let (url, secrets) = (failing.url(), [make_signing_secret()]);
    let started = std::time::Instant::now();
    let mut refused = 0;
    for _ in 0..100 {
        let hundred = (0..100).map(|_| sender.send(delivery(&url, &secrets), Utc::now()));
        let came = futures::future::join_all(hundred).await;
        refused += came.iter().filter(|sent| matches!(sent, Err(NotSent::HostAway { .. } | NotSent::HostBusy))).count();
        assert_eq!(sent(&sender, &good.url()).await.outcome, AttemptOutcome::Delivered);
    }
    let asked = failing.received().len();
    assert_eq!(asked + refused, 10_000);
    // Five in a row, the three beside them, and one probe for every five seconds.
    let probes = usize::try_from(started.elapsed().as_secs() / 5).expect("it fits");
    assert!(asked <= 8 + probes, "{asked} requests to a host that fails");
    assert_eq!(sender.hosts(), (1, 1), "the good one need not be remembered");
}

#[tokio::test]
async fn one_callback_alone_is_tried_as_its_schedule_says_however_often_it_fails() {
    let failing = Receiver::start(std::iter::repeat_n(Answer::Status(500), 10)).await;
    let sender = sender(&["127.0.0.1/32"]);
    let (url, secrets) = (failing.url(), [make_signing_secret()]);
    let one = delivery(&url, &secrets);
    for number in 1..=10 {
        let attempt = sender.send(one, Utc::now()).await.expect("its host is not left alone");
        assert_eq!(attempt.status_code, Some(500), "try {number}");
    }
    assert_eq!(failing.received().len(), 10);
}

#[tokio::test]
async fn what_a_host_refuses_does_not_make_it_a_host_that_fails() {
    let refusing = Receiver::start(std::iter::repeat_n(Answer::Status(404), 50)).await;
    let sender = sender(&["127.0.0.1/32"]);
    for _ in 0..50 {
        assert_eq!(sent(&sender, &refusing.url()).await.outcome, AttemptOutcome::Rejected);
    }
}
