//! The metrics: what docs/metrics.md says of them, and that the collector gets the same.

use std::collections::BTreeSet;

use harness::standins::receiver::Receiver;
use shared::telemetry::{Described, Metrics};

use crate::rig::{Rig, Submission};

/// What only faults, the clock and a setting bring about.
const OF_BAD_DAYS: &[&str] = &[
    "rb_ocr_artifacts",
    "rb_ocr_breaker_openings",
    "rb_ocr_breaker_state",
    "rb_ocr_dead_letters",
    "rb_ocr_llm_tokens",
    "rb_ocr_retention_rounds",
    "rb_ocr_retention_steps",
    "rb_ocr_submissions_refused",
    "rb_ocr_upkeep_actions",
];

#[test]
fn the_page_of_metrics_names_every_one_with_its_kind_and_meaning_and_no_other() {
    let registered: BTreeSet<(String, String, String)> = Metrics::described()
        .iter()
        .map(|metric| (metric.sample_name(), metric.kind.as_str().to_owned(), metric.help.to_owned()))
        .collect();
    let page = harness::services::checkout().join("docs/metrics.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `rb_ocr_"));
    let written: BTreeSet<(String, String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let cell = |at: usize| cells.get(at).copied().unwrap_or_default().to_owned();
            (format!("rb_ocr_{}", cell(0).trim_end_matches('`')), cell(1), cell(3))
        })
        .collect();
    assert_eq!(written, registered);
}

#[tokio::test]
async fn a_days_work_feeds_every_metric_and_the_collector_gets_the_same() {
    let receiver = Receiver::start([]).await;
    let rig = Rig::start(&[("LEASE_SECONDS", "30")]).await.with_worker().await;
    let folder = harness::services::checkout().join("tests/documents");
    let file = std::fs::read(folder.join("d029.pdf")).expect("a sample");
    let fields = vec![("fio", "Семён Морозов".to_owned()), ("callback_url", receiver.url())];
    let (status, accepted) = rig.submit(Submission { file, filename: "a.pdf", fields, traceparent: None }).await;
    assert_eq!(status, 202, "{accepted}");
    rig.finished(accepted["run_id"].as_str().expect("a run")).await;
    receiver.wait_for(1).await;
    // What comes last: the callback's try, and upkeep's look at the fleet's queues.
    let services = ["rb-ocr-api", "rb-ocr-worker"];
    let sent = |seen: &harness::standins::otlp::Seen| {
        services.iter().flat_map(|service| seen.metric_names(service)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let last = ["rb_ocr_queue_messages", "rb_ocr_queue_oldest_due_seconds", "rb_ocr_callback_attempts"];
    rig.collector.wait_for(|seen| last.iter().all(|name| sent(seen).contains(*name))).await;
    let fed = fed(&rig.metrics().await);
    let all = Metrics::described().iter().map(|metric| metric.name);
    let starved: Vec<&str> = all.filter(|name| !fed.contains(*name) && !OF_BAD_DAYS.contains(name)).collect();
    assert_eq!(starved, Vec::<&str>::new());

    rig.collector.wait_for(|seen| fed.is_subset(&sent(seen))).await;
}

/// The families with a sample in one of the texts.
fn fed(texts: &[String]) -> BTreeSet<String> {
    let lines = || texts.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'));
    let names: BTreeSet<&str> = lines().map(|line| line.split(['{', ' ']).next().unwrap_or_default()).collect();
    let has = |metric: &&Described| {
        let sample = metric.sample_name();
        names.contains(sample.as_str()) || names.contains(format!("{sample}_count").as_str())
    };
    Metrics::described().iter().filter(has).map(|metric| metric.name.to_owned()).collect()
}
