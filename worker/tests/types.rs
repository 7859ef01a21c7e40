//! The fifteen types, each read from a picture of a document by the real Tesseract and judged by the
//! pipeline's own stages.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value;
use shared::domain::doc_types::DOC_TYPES;
use shared::domain::{ContentType, PageSource};
use worker::analysis::RulesAnalyzer;
use worker::ocr::TesseractEngine;
use worker::pipeline::{NoProgress, Origin, Pipeline, Subject, Work};
use worker::sandbox::Sandbox;

/// The day for which the samples were made.
const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/types")
}

fn samples() -> Vec<Value> {
    let truth = std::fs::read_to_string(folder().join("truth.jsonl")).expect("the samples' truth");
    truth.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

fn pipeline() -> Pipeline {
    let sandbox = Sandbox::new(2).expect("a thread");
    let engine = Arc::new(TesseractEngine::new(sandbox.clone()));
    Pipeline { sandbox, engine, analyzer: Arc::new(RulesAnalyzer) }
}

/// What was found, in the fields of the truth's `expected`, and whether every page was read by Tesseract.
async fn judged(pipeline: &Pipeline, sample: &Value) -> (Value, bool) {
    let path = folder().join(sample["file"].as_str().expect("a file"));
    let first_bytes = std::fs::read(&path).expect("a document");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let subject = Subject {
        origin: Origin::File(&path),
        content_type: ContentType::from_first_bytes(&first_bytes).expect("a known kind"),
        fio: sample["applicant_fio"].as_str().expect("a name"),
        today: TODAY,
        scratch: scratch.path(),
    };
    let mut work = Work::default();
    let judged = pipeline.run(&subject, &NoProgress, &mut work).await.expect("a verdict");
    let extraction = judged.analysis.extraction;
    let found = serde_json::json!({
        "doc_type": judged.analysis.classification.doc_type.map(|found| found.value.title),
        "fio": extraction.fio.map(|found| plain(&found.value)),
        "doc_date": extraction.doc_date.map(|found| found.value),
        "verdict": judged.judgement.verdict,
        "checks": judged.judgement.checks,
    });
    (found, work.pages.iter().all(|page| page.source == PageSource::Tesseract))
}

/// A name without case and ё, which readers and clerks leave out.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('ё', "е")
}

fn expected(sample: &Value) -> Value {
    let expected = &sample["expected"];
    serde_json::json!({
        "doc_type": expected["doc_type"],
        "fio": plain(expected["fio"].as_str().expect("a name")),
        "doc_date": expected["doc_date"],
        "verdict": expected["verdict"],
        "checks": expected["checks"],
    })
}

#[test]
fn there_is_a_sample_of_every_type() {
    let samples = samples();
    let types: HashSet<&str> = samples.iter().filter_map(|sample| sample["expected"]["doc_type"].as_str()).collect();
    assert_eq!(types, DOC_TYPES.iter().map(|doc_type| doc_type.title).collect());
    assert_eq!(samples.len(), DOC_TYPES.len());
}

#[tokio::test]
async fn every_type_is_read_from_a_picture_with_its_person_its_date_and_the_right_verdict() {
    let pipeline = pipeline();
    let samples = samples();
    let results = futures::future::join_all(samples.iter().map(|sample| judged(&pipeline, sample))).await;
    let mut wrong = Vec::new();
    for (sample, (found, by_tesseract)) in samples.iter().zip(results) {
        assert!(by_tesseract, "{} is no picture", sample["file"]);
        if found != expected(sample) {
            wrong.push(format!("{}: {found:#}\nand not {:#}", sample["file"], expected(sample)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
