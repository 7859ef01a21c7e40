use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

/// Answers `calls` requests and returns what each asked for and sent, as far as it has `word` in it.
fn collector(calls: usize, word: &'static str) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}/", listener.local_addr().expect("bound"));
    let received = std::thread::spawn(move || {
        let mut targets = Vec::new();
        while targets.len() < calls {
            let (mut connection, _) = listener.accept().expect("the exporter calls");
            let mut request = Vec::new();
            while !request.windows(word.len()).any(|part| part == word.as_bytes()) {
                let mut part = [0; 4096];
                let read = connection.read(&mut part).expect("bytes come");
                assert!(read > 0, "{word} came before the end");
                request.extend_from_slice(&part[..read]);
            }
            connection
                .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                .expect("it listens");
            let head = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
            targets.push(String::from_utf8_lossy(head).into_owned());
        }
        targets.sort();
        targets
    });
    (base, received)
}

#[tokio::test]
async fn spans_logs_and_metrics_are_sent_at_the_latest_when_the_process_ends() {
    let (base, received) = collector(3, "the_thing");
    let mut otlp = Otlp::new("the_thing", &base).expect("a good endpoint");
    otlp.send(Metrics::default()).expect("a good endpoint");
    let spans = tracing_opentelemetry::layer().with_tracer(otlp.tracer());
    let registry = tracing_subscriber::Registry::default().with(spans).with(otlp.log_layer());
    tracing::subscriber::with_default(registry, || {
        tracing::info_span!("span").in_scope(|| tracing::info!("line"));
    });
    drop(otlp);
    let targets = received.join().expect("the collector saw all three");
    assert_eq!(targets, ["POST /v1/logs HTTP/1.1", "POST /v1/metrics HTTP/1.1", "POST /v1/traces HTTP/1.1"]);
}

#[test]
fn an_endpoint_that_is_no_address_is_told_at_the_start() {
    let mut otlp = Otlp::new("test", "http://127.0.0.1:1");
    assert!(otlp.as_mut().is_ok_and(|otlp| otlp.send(Metrics::default()).is_ok()));
    let bad = Otlp::new("test", "not an address").and_then(|mut otlp| otlp.send(Metrics::default()));
    assert!(matches!(bad, Err(TelemetryError::Otlp(_))));
}
