//! Runs as the lines that `COPY` takes.

use std::fmt::{Display, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Plan;
use super::run::{End, Made};
use crate::documents::document_key;
use crate::domain::Status;
use crate::domain::names::fio_search;
use crate::hex::hex;
use crate::store::finish::compact;

/// Lines for each table, in the order of the columns that `store::seed` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// `verification_runs`.
    pub runs: String,
    /// `verification_errors`.
    pub errors: String,
    /// `ocr_pages`.
    pub pages: String,
    /// `llm_calls`.
    pub calls: String,
    /// `jobs`, of those that have not ended.
    pub jobs: String,
}

/// Documents older than this are gone, as if their term were over.
const DOCUMENTS_KEPT: TimeDelta = TimeDelta::days(30);

/// Adds a run's rows.
pub(super) fn write(batch: &mut Batch, plan: &Plan, run: &Made) {
    let end = run.end.as_ref();
    let found = end.and_then(|end| end.found.as_ref());
    let seconds = end.map(|end| end.seconds);
    let total = seconds.map(|seconds| seconds.iter().sum::<f64>() + 0.2);
    let completed_at = total.map(|total| run.created_at + milliseconds(total));
    let kept = plan.until - run.created_at < DOCUMENTS_KEPT;
    let timings = seconds.map(|[_, read, ask]| {
        json!({ "acquire": 0.012, "read": rounded(read), "classify": rounded(ask * 0.4), "extract": rounded(ask * 0.6),
                "validate": 0.001 })
    });
    let checks = found.map(|found| compact::checks(&found.checks));
    let evidence = found.map(|found| compact::evidence(&found.evidence));
    Line::of(&mut batch.runs)
        .is(run.run_id)
        .is(run.client_id)
        .is(time(run.created_at))
        .may_be(completed_at.map(time))
        .text(&run.fio)
        .text(&fio_search(&run.fio))
        .may_be(run.iin.as_deref())
        .may_be(run.external_request_id.as_deref())
        .text(&run.branch.map_or_else(|| json!({}), |branch| json!({ "branch": branch })).to_string())
        .text(run.filename)
        .may_be(kept.then(|| document_key(run.created_at, run.document)))
        .is(run.content_type)
        .is(run.file_size_bytes)
        .bytes(&run.sha256)
        .may_be(end.filter(|end| !end.pages.is_empty()).map(|end| end.pages.len()))
        .is(end.map_or("processing", |end| end.status.as_str()))
        .is(if end.is_some() { "done" } else { "queued" })
        .is(end.map_or(0, |end| end.attempts))
        .may_be(end.and_then(|end| end.errors.first()).map(|code| code.as_str()))
        .may_be(found.map(|found| found.verdict))
        .may_be(found.and_then(|found| found.fio.as_deref()))
        .may_be(found.and_then(|found| found.doc_date))
        .may_be(found.and_then(|found| found.doc_type))
        .may_be(found.and_then(|found| found.checks.single_doc_type))
        .may_be(found.and_then(|found| found.checks.doc_type_known))
        .may_be(checks)
        .may_be(evidence)
        .may_be(timings)
        .is(if found.is_some_and(|found| found.near_miss) { "{name_near_miss}" } else { "{}" })
        .is(run.created_at.date_naive())
        .may_be(end.map(|_| "tesseract"))
        .may_be(end.map(|_| "llm"))
        .may_be(end.filter(|end| !end.calls.is_empty()).map(|_| MODEL))
        .may_be(end.map(|_| env!("CARGO_PKG_VERSION")))
        .may_be(total.map(rounded))
        .may_be(seconds.map(|[queue, _, _]| rounded(queue)))
        .may_be(seconds.map(|[_, ocr, _]| rounded(ocr)))
        .may_be(seconds.map(|[_, _, llm]| rounded(llm)))
        .is(format_args!("{:032x}", run.trace_id))
        .may_be((!kept).then(|| time(run.created_at + DOCUMENTS_KEPT)))
        .end();
    match end {
        Some(end) => write_end(batch, run, end, completed_at.unwrap_or(run.created_at)),
        // A job that nothing is due of for as long as anybody looks.
        None => Line::of(&mut batch.jobs).is(run.document).is("run").is(run.run_id).is(run.client_id).is(NEVER).end(),
    }
}

const MODEL: &str = "qwen2.5-14b-instruct";
const NEVER: &str = "2100-01-01 00:00:00Z";

fn write_end(batch: &mut Batch, run: &Made, end: &End, completed_at: DateTime<Utc>) {
    for code in &end.errors {
        Line::of(&mut batch.errors)
            .is(run.run_id)
            .is(1)
            .is(code.int_code())
            .is(code.as_str())
            .text(code.detail())
            .end();
    }
    for (number, page) in end.pages.iter().enumerate() {
        let confidence = if end.status == Status::Success { end.confidence } else { end.confidence / 2.0 };
        Line::of(&mut batch.pages)
            .is(run.run_id)
            .is(1)
            .is(number + 1)
            .text(page)
            .is(rounded(confidence))
            .is("tesseract")
            .end();
    }
    for (number, call) in end.calls.iter().enumerate() {
        let [prompt, completion] = call.tokens;
        Line::of(&mut batch.calls)
            .is(run.run_id)
            .is(1)
            .is(number + 1)
            .is(call.call_type)
            .is(MODEL)
            .is(time(completed_at - milliseconds(call.seconds)))
            .is(rounded(call.seconds))
            .is(prompt)
            .is(completion)
            .is(prompt + completion)
            .is("ok")
            .end();
    }
}

fn milliseconds(seconds: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn time(at: DateTime<Utc>) -> impl Display {
    at.format("%Y-%m-%d %H:%M:%S%.3fZ")
}

/// A line under way.
struct Line<'a>(&'a mut String, bool);

impl<'a> Line<'a> {
    const fn of(lines: &'a mut String) -> Self {
        Self(lines, true)
    }

    fn part(mut self) -> Self {
        if !self.1 {
            self.0.push('\t');
        }
        self.1 = false;
        self
    }

    /// What needs no escape.
    fn is(self, value: impl Display) -> Self {
        let line = self.part();
        let _ = write!(line.0, "{value}");
        line
    }

    fn text(self, text: &str) -> Self {
        let line = self.part();
        for sign in text.chars() {
            match sign {
                '\\' => line.0.push_str("\\\\"),
                '\n' => line.0.push_str("\\n"),
                '\r' => line.0.push_str("\\r"),
                '\t' => line.0.push_str("\\t"),
                other => line.0.push(other),
            }
        }
        line
    }

    fn may_be(self, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.text(&value.to_string()),
            None => self.is("\\N"),
        }
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let line = self.is("\\\\x");
        line.0.push_str(&hex(bytes));
        line
    }

    fn end(self) {
        self.0.push('\n');
    }
}
