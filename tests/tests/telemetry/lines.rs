//! Logs: JSON lines with the ids of what they are about.

use harness::standins::ocr;
use serde_json::Value;

use crate::rig::{Rig, Submission};

fn submission() -> Submission<'static> {
    let file = std::fs::read(harness::services::checkout().join("tests/documents/d041.pdf")).expect("a sample");
    let fields = vec![("fio", "Нургалиев Канат".to_owned())];
    Submission { file, filename: "a.pdf", fields, traceparent: None }
}

/// Runs one document whose reading fails at first, and answers the run and the worker's lines.
async fn run_with(rust_log: &str) -> (Value, Vec<Value>, Rig) {
    let behaviour = ocr::Behaviour { faults: vec![ocr::Fault::Failed], ..ocr::Behaviour::reading(&["Приказ"]) };
    let ocr = ocr::Ocr::start(behaviour).await;
    let settings =
        [("OCR_ENGINE", "http"), ("OCR_BASE_URL", &ocr.base_url()), ("RUST_LOG", rust_log), ("RETRY_PAUSES", "1s")];
    let rig = Rig::start(&settings).await.with_worker().await;
    let (status, accepted) = rig.submit(submission()).await;
    assert_eq!(status, 202, "{accepted}");
    let run = rig.finished(accepted["run_id"].as_str().expect("a run")).await;
    assert_eq!(run["attempts"], 2, "the first attempt failed");
    let lines = rig.log_lines();
    let lines = lines.iter().map(|line| serde_json::from_str(line).expect("each line is an object")).collect();
    (run, lines, rig)
}

fn of_run<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn a_line_about_a_run_has_its_run_id_and_its_trace_id() {
    let (run, lines, rig) = run_with("info").await;
    for line in &lines {
        for field in ["timestamp", "level", "service", "target", "message"] {
            assert!(line[field].is_string(), "{field} is missing in {line}");
        }
    }
    for message in ["a run is worked on", "a run is tried again later", "a run has finished"] {
        let about = of_run(&lines, message);
        assert!(!about.is_empty(), "{message} is missing in {lines:#?}");
        for line in about {
            assert_eq!((&line["run_id"], &line["trace_id"]), (&run["run_id"], &run["trace_id"]), "{line}");
        }
    }
    // The same lines go to the collector, with the same ids.
    let told = |record: &&harness::standins::otlp::Record| record.body == "a run has finished";
    let seen = rig.collector.wait_for(|seen| seen.records.iter().any(|record| told(&record))).await;
    let record = seen.records.iter().find(told).expect("waited for");
    assert_eq!(record.service, "rb-ocr-worker");
    assert_eq!(record.attributes.get("run_id").map(String::as_str), run["run_id"].as_str());
    assert_eq!(Some(record.trace_id.as_str()), run["trace_id"].as_str());
}

#[tokio::test]
async fn a_log_of_warnings_only_keeps_the_ids() {
    let (run, lines, _rig) = run_with("warn").await;
    assert!(of_run(&lines, "a run has finished").is_empty());
    let about = of_run(&lines, "a run is tried again later");
    assert_eq!(about.len(), 1, "{lines:#?}");
    assert_eq!((&about[0]["run_id"], &about[0]["trace_id"]), (&run["run_id"], &run["trace_id"]));
}
