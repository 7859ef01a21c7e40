//! `rb-ocr evaluate TRUTH.jsonl --as-of DATE --out PREDICTIONS.jsonl`: documents through the pipeline's own
//! stages, in this process, without database or broker. Of each line of the truth only `file` and
//! `applicant_fio` are read.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use chrono::NaiveDate;
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{ContentType, ErrorCode, Evidence, PageSource, Status};
use shared::settings::Settings;
use shared::telemetry::Metrics;
use worker::pipeline::{Failure, Judged, NoProgress, Origin, Pipeline, Subject, Work};

/// What to evaluate.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// One JSON object a line, with `file` (beside this file) and `applicant_fio`
    truth: PathBuf,
    /// The day that stands for today
    #[arg(long)]
    as_of: NaiveDate,
    /// Where the predictions go, one JSON object a line, in the order of the truth
    #[arg(long)]
    out: PathBuf,
}

#[derive(Deserialize)]
struct Line {
    file: String,
    applicant_fio: String,
}

/// Evaluates every line. With `json` the summary is JSON.
///
/// # Errors
/// The truth cannot be read, a document is not there, or the predictions cannot be written.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let truth =
        std::fs::read_to_string(&args.truth).with_context(|| format!("{} cannot be read", args.truth.display()))?;
    let lines = truth.lines().filter(|line| !line.trim().is_empty()).enumerate().map(|(number, line)| {
        serde_json::from_str::<Line>(line).with_context(|| format!("line {} is not understood", number + 1))
    });
    let lines = lines.collect::<anyhow::Result<Vec<_>>>()?;
    let folder = args.truth.parent().unwrap_or(Path::new("."));
    let settings = Settings::from_env()?;
    let pipeline = Arc::new(worker::service::pipeline(&settings, &Metrics::default())?);
    let mut out = std::io::BufWriter::new(
        std::fs::File::create(&args.out).with_context(|| format!("{} cannot be written", args.out.display()))?,
    );
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let (start, count) = (Instant::now(), lines.len());
    let jobs = lines.iter().map(|line| one(Arc::clone(&pipeline), folder, line, args.as_of));
    let mut predictions = futures::stream::iter(jobs).buffered(at_once);
    let (mut accepted, mut refused, mut failed) = (0, 0, 0);
    while let Some(prediction) = predictions.next().await {
        let prediction = prediction?;
        match prediction["verdict"].as_bool() {
            Some(true) => accepted += 1,
            Some(false) => refused += 1,
            None => failed += 1,
        }
        writeln!(out, "{prediction}")?;
    }
    out.flush()?;
    let seconds = start.elapsed().as_secs_f64();
    let summary =
        json!({"documents": count, "accepted": accepted, "refused": refused, "error": failed, "seconds": seconds});
    crate::output::show(json, &summary, || {
        format!("{count} documents in {seconds:.1} s: {accepted} accepted, {refused} refused, {failed} in error")
    });
    Ok(())
}

async fn one(pipeline: Arc<Pipeline>, folder: &Path, line: &Line, today: NaiveDate) -> anyhow::Result<Value> {
    let path = folder.join(&line.file).canonicalize().with_context(|| format!("{} is not there", line.file))?;
    let scratch = tempfile::tempdir()?;
    let start = Instant::now();
    let mut work = Work::default();
    let judged = match content_type(&path).await? {
        Some(content_type) => {
            let subject = Subject {
                origin: Origin::File(&path),
                content_type,
                fio: &line.applicant_fio,
                today,
                scratch: scratch.path(),
            };
            pipeline.run(&subject, &NoProgress, &mut work).await
        }
        None => Err(Failure::new(ErrorCode::DocumentUnreadable, "it is no PDF, JPEG, PNG or TIFF")),
    };
    let mut prediction = prediction(&line.file, judged, &work, start.elapsed().as_secs_f64());
    prediction["as_of"] = json!(today);
    prediction["ocr_engine"] = json!(pipeline.engine.name());
    prediction["analyzer"] = json!(pipeline.analyzer.name());
    if pipeline.analyzer.model().is_some() {
        let tokens: i64 = work.calls.iter().filter_map(|call| call.total_tokens.map(i64::from)).sum();
        prediction["llm"] = json!({"calls": work.calls.len(), "tokens": tokens});
    }
    Ok(prediction)
}

async fn content_type(path: &Path) -> anyhow::Result<Option<ContentType>> {
    use tokio::io::AsyncReadExt as _;
    let mut first = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(ContentType::FIRST_BYTES as u64).read_to_end(&mut first).await?;
    Ok(ContentType::from_first_bytes(&first))
}

/// The fields of a run that a document decides.
fn prediction(file: &str, judged: Result<Judged, Failure>, work: &Work, seconds: f64) -> Value {
    let text: Vec<&str> = work.pages.iter().map(|page| page.text.as_str()).collect();
    let mut prediction = match judged {
        Ok(judged) => verdict(judged),
        Err(failure) => json!({
            "status": Status::Error, "verdict": null, "checks": null, "extracted": null, "evidence": null,
            "errors": errors(&[failure.code]), "error_details": failure.reason, "flags": [],
        }),
    };
    prediction["file"] = json!(file);
    prediction["page_count"] = json!(work.page_count);
    let layered = work.pages.iter().filter(|page| page.source == PageSource::TextLayer).count();
    prediction["reading"] =
        json!({"text_layer": layered, "second_attempts": work.second_attempts, "looked_at": work.looked_at});
    prediction["timings"] = json!({"stages": work.timings, "duration_seconds": seconds});
    prediction["text"] = json!(text.join("\n"));
    prediction
}

fn verdict(judged: Judged) -> Value {
    let Judged { analysis, judgement } = judged;
    let (classification, extraction) = (&analysis.classification, &analysis.extraction);
    let evidence = Evidence {
        fio: extraction.fio.as_ref().map(|found| (&found.quote).into()),
        doc_date: extraction.doc_date.as_ref().map(|found| (&found.quote).into()),
        doc_type: classification.doc_type.as_ref().map(|found| (&found.quote).into()),
    };
    json!({
        "status": Status::Success,
        "verdict": judgement.verdict,
        "checks": judgement.checks,
        "extracted": {
            "fio": extraction.fio.as_ref().map(|found| &found.value),
            "doc_date": extraction.doc_date.as_ref().map(|found| found.value),
            "doc_type": classification.doc_type.as_ref().map(|found| found.value.title),
            "single_doc_type": classification.single_doc_type,
            "doc_type_known": judgement.checks.doc_type_known,
        },
        "evidence": evidence,
        "errors": errors(&judgement.errors),
        "flags": judgement.flags,
    })
}

fn errors(codes: &[ErrorCode]) -> Vec<Value> {
    codes.iter().map(|code| json!({"code": code, "int_code": code.int_code()})).collect()
}
