//! One trace from the request to the callback, through both processes and the broker.

use harness::standins::otlp::{Seen, Span};
use harness::standins::{llm, ocr, receiver};
use serde_json::json;

use crate::rig::{Rig, Submission};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Enough words to be judged.
const TEXT: &str = "ТОО «Алатау». Приказ № 12 от 12.11.2026 г. О расторжении трудового договора. Расторгнуть трудовой договор \
    с бухгалтером Нургалиевым Канатом Нурлановичем по соглашению сторон с 13 ноября 2026 года. Директор Ахметов.";

/// What a run with a callback is made of: the process, the span, and the span it came from.
const CHAIN: &[(&str, &str, &str)] = &[
    ("rb-ocr-api", "POST /v1/runs", ""),
    ("", "publish", "POST /v1/runs"),
    ("rb-ocr-worker", "claim", "publish"),
    ("rb-ocr-worker", "run", "publish"),
    ("rb-ocr-worker", "acquire", "run"),
    ("rb-ocr-worker", "read", "run"),
    ("rb-ocr-worker", "ocr", "read"),
    ("rb-ocr-worker", "classify", "run"),
    ("rb-ocr-worker", "llm", "classify"),
    ("rb-ocr-worker", "extract", "run"),
    ("rb-ocr-worker", "llm", "extract"),
    ("rb-ocr-worker", "validate", "run"),
    ("rb-ocr-worker", "callback", "publish"),
    ("rb-ocr-worker", "callback", "callback"),
];

fn of_trace(seen: &Seen) -> Vec<&Span> {
    seen.spans.iter().filter(|span| span.trace_id == TRACE).collect()
}

fn is_there(spans: &[&Span], (service, name, parent): (&str, &str, &str)) -> bool {
    spans.iter().any(|span| {
        let from = spans.iter().find(|other| other.span_id == span.parent).map_or("", |other| other.name.as_str());
        span.name == name && (service.is_empty() || span.service == service) && from == parent
    })
}

#[tokio::test]
async fn one_trace_holds_a_run_from_its_request_to_its_callback() {
    let ocr = ocr::Ocr::start(ocr::Behaviour::reading(&[TEXT])).await;
    let llm = llm::Llm::start(llm::Behaviour::searching()).await;
    let receiver = receiver::Receiver::start([]).await;
    let (ocr_url, llm_url) = (ocr.base_url(), llm.base_url());
    let rig = Rig::start(&[
        ("OCR_ENGINE", "http"),
        ("OCR_BASE_URL", &ocr_url),
        ("ANALYZER", "llm"),
        ("LLM_BASE_URL", &llm_url),
        ("LLM_MODEL", "stand-in"),
    ])
    .await
    .with_worker()
    .await;
    let file = std::fs::read(harness::services::checkout().join("tests/documents/d041.pdf")).expect("a sample");
    let fields = vec![("fio", "Нургалиев Канат".to_owned()), ("callback_url", receiver.url())];
    let submission = Submission { file, filename: "a.pdf", fields, traceparent: Some(TRACEPARENT) };
    let (status, accepted) = rig.submit(submission).await;
    assert_eq!(status, 202, "{accepted}");
    let run_id = accepted["run_id"].as_str().expect("a run").to_owned();
    assert_eq!(rig.finished(&run_id).await["trace_id"], json!(TRACE));
    let callback = receiver.wait_for(1).await.remove(0);

    let whole = |seen: &Seen| CHAIN.iter().all(|link| is_there(&of_trace(seen), *link));
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), rig.collector.wait_for(whole)).await;
    let seen = waited.unwrap_or_else(|_| {
        let seen = rig.collector.seen();
        let spans = of_trace(&seen);
        let missing: Vec<_> = CHAIN.iter().filter(|link| !is_there(&spans, **link)).collect();
        panic!("{missing:?} are missing in {spans:#?}");
    });
    let spans = of_trace(&seen);
    let request = spans.iter().find(|span| span.name == "POST /v1/runs").expect("it is there");
    assert_eq!(request.parent, "00f067aa0ba902b7", "the caller's own span is where it began");
    for span in &spans {
        let stage = ["acquire", "read", "classify", "extract", "validate", "ocr", "llm"].contains(&span.name.as_str());
        let of_run = span.attributes.get("run_id").is_some_and(|id| *id == run_id);
        let other_callback = span.name == "callback" && span.attributes.contains_key("service");
        assert!(of_run || stage || other_callback, "{span:?} does not name its run");
    }
    // The endpoint can go on from there too.
    let told = callback.header("traceparent").expect("the callback carries the trace").to_owned();
    assert!(spans.iter().any(|span| told.starts_with(&format!("00-{TRACE}-{}", span.span_id))), "{told}");
}
