//! leased → gone: a run ends. One statement, guarded by the lease token, writes all that is known of the run
//! and deletes its job; a worker that lost its lease changes nothing. Where the caller asked to be told, the
//! event is made in the same transaction.

pub(crate) mod compact;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use uuid::Uuid;

use super::callback_events;
use super::jobs::Lease;
use super::{Pool, StoreError};
use crate::domain::{Checks, ErrorCode, Evidence, Status};

/// One page as it is kept.
#[derive(Clone, Debug)]
pub struct FinishedPage {
    /// From 1.
    pub number: u32,
    /// What was read.
    pub text: String,
    /// Mean confidence of its words, 0 to 1.
    pub confidence: Option<f32>,
    /// `domain::PageSource` as a word.
    pub source: &'static str,
    /// The upright page's picture in the document store.
    pub image_key: Option<String>,
}

/// One call of the model as it is kept.
#[derive(Clone, Debug)]
pub struct FinishedCall {
    /// `doc_type_check` or `extractor`.
    pub call_type: &'static str,
    /// Which model.
    pub model: String,
    /// How long before the finish it began, in seconds: the database's clock makes the time of it.
    pub began_seconds_ago: f64,
    /// How long it took.
    pub duration_seconds: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<i32>,
    /// Tokens of the answer.
    pub completion_tokens: Option<i32>,
    /// Tokens in all.
    pub total_tokens: Option<i32>,
    /// In the currency of `LLM_PRICE`; none without a price or a count of tokens.
    pub cost: Option<f64>,
    /// `ok`, or why the answer could not be used.
    pub outcome: String,
}

/// A verdict and what it was made of.
#[derive(Clone, Debug)]
pub struct FinishedVerdict {
    /// True only if all four checks hold.
    pub verdict: bool,
    /// The four checks.
    pub checks: Checks,
    /// Name in the document, nominative.
    pub fio: Option<String>,
    /// Its date.
    pub doc_date: Option<NaiveDate>,
    /// Its type's title.
    pub doc_type: Option<&'static str>,
    /// One type in the file?
    pub single_doc_type: bool,
    /// One of the fifteen? None where there are several.
    pub doc_type_known: Option<bool>,
    /// Where the values stand.
    pub evidence: Evidence,
    /// What is worth a second look.
    pub flags: Vec<String>,
}

/// How a run ends.
#[derive(Clone, Debug, Default)]
pub struct Finish {
    /// The verdict, or none where there is an error.
    pub verdict: Option<FinishedVerdict>,
    /// All that is wrong, by `int_code`: the failed checks of a verdict, or the one error.
    pub errors: Vec<ErrorCode>,
    /// For developers: why it ended in error. Nothing of the document.
    pub error_details: Option<String>,
    /// Pages in the file, where known.
    pub page_count: Option<i32>,
    /// What was read.
    pub pages: Vec<FinishedPage>,
    /// The model's calls of this attempt.
    pub llm_calls: Vec<FinishedCall>,
    /// Seconds of each stage of this attempt.
    pub stage_timings: BTreeMap<&'static str, f64>,
    /// Which engine read.
    pub ocr_engine: Option<&'static str>,
    /// Which analyser analysed.
    pub analyzer: Option<&'static str>,
    /// Which model.
    pub model: Option<String>,
    /// Which prompts.
    pub prompt_version: Option<&'static str>,
    /// Seconds of reading.
    pub ocr_seconds: Option<f64>,
    /// Seconds of analysis by a model.
    pub llm_seconds: Option<f64>,
    /// An earlier run of the same paper, found by what it looks like.
    pub duplicate_of: Option<Uuid>,
    /// The prints of its pages, by which later runs of the same paper are found.
    pub prints: Vec<u64>,
    /// Under which they are looked up.
    pub found_key: i64,
    /// Why it also is a dead letter.
    pub dead_reason: Option<String>,
    /// Whom the dead letter names, where it is not whoever writes: the worker that held the job last.
    pub last_worker: Option<String>,
    /// Who writes: the worker's name, for the audit.
    pub worker: String,
}

impl Finish {
    /// The status that follows.
    pub const fn status(&self) -> Status {
        if self.verdict.is_some() { Status::Success } else { Status::Error }
    }
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// By the database's clock.
    pub completed_at: DateTime<Utc>,
    /// Since submission.
    pub duration_seconds: f64,
    /// Not worked on.
    pub queue_seconds: f64,
    /// A callback is owed.
    pub callback_owed: bool,
}

/// Ends a run. None: the lease was lost, and nothing was written.
///
/// # Errors
/// The database is away: nothing was written, and the lease runs out unless the same finish is tried again.
pub async fn finish(pool: &Pool, lease: Lease, run_id: Uuid, finish: &Finish) -> Result<Option<Finished>, StoreError> {
    let mut transaction = pool.begin().await?;
    let finished = finish_in(&mut transaction, lease, run_id, finish).await?;
    if finished.is_some() {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(finished)
}

/// The same in a transaction of the caller's, who commits it.
pub(super) async fn finish_in(
    transaction: &mut sqlx::PgTransaction<'_>,
    lease: Lease,
    run_id: Uuid,
    finish: &Finish,
) -> Result<Option<Finished>, StoreError> {
    let Some(row) = write(&mut **transaction, lease, run_id, finish).await? else {
        return Ok(None);
    };
    if let Some(url) = &row.callback_url {
        let event = callback_events::NewEvent {
            run_id,
            client_id: row.client_id,
            sequence: row.event_sequence,
            url,
            form: &row.callback_form,
            external_request_id: row.external_request_id.as_deref(),
            status: finish.status(),
            verdict: finish.verdict.as_ref().map(|verdict| verdict.verdict),
            errors: &finish.errors,
            at: row.completed_at,
            trace_context: row.trace_context.as_deref(),
        };
        callback_events::make(transaction, &event).await?;
    }
    Ok(Some(row.into()))
}

/// As [`finish`] for a run whose end is told to nobody, which its claim says: one statement on its own, and two fewer
/// round trips.
///
/// # Errors
/// As [`finish`].
pub async fn finish_untold(
    pool: &Pool,
    lease: Lease,
    run_id: Uuid,
    finish: &Finish,
) -> Result<Option<Finished>, StoreError> {
    Ok(write(pool, lease, run_id, finish).await?.map(Finished::from))
}

struct Written {
    client_id: Uuid,
    callback_url: Option<String>,
    callback_form: String,
    external_request_id: Option<String>,
    event_sequence: i32,
    completed_at: DateTime<Utc>,
    duration_seconds: f64,
    queue_seconds: f64,
    trace_context: Option<String>,
}

impl From<Written> for Finished {
    fn from(row: Written) -> Self {
        Self {
            completed_at: row.completed_at,
            duration_seconds: row.duration_seconds,
            queue_seconds: row.queue_seconds,
            callback_owed: row.callback_url.is_some(),
        }
    }
}

async fn write(
    executor: impl sqlx::PgExecutor<'_>,
    lease: Lease,
    run_id: Uuid,
    finish: &Finish,
) -> Result<Option<Written>, StoreError> {
    let verdict = finish.verdict.as_ref();
    let evidence = verdict.map(|v| compact::evidence(&v.evidence));
    let checks = verdict.map(|v| compact::checks(&v.checks));
    let error_details = finish.error_details.as_ref().map(|text| json!({ "reason": text }));
    let (codes, ints, details) = errors_as_columns(&finish.errors);
    let pages = Pages::of(&finish.pages);
    let calls = Calls::of(&finish.llm_calls);
    let prints: Vec<i64> = finish.prints.iter().map(|print| print.cast_signed()).collect();
    Ok(sqlx::query_file_as!(
        Written,
        "src/store/finish/finish.sql",
        lease.job_id,
        lease.token,
        run_id,
        finish.status().as_str(),
        finish.errors.first().map(|code| code.as_str()),
        error_details,
        verdict.map(|v| v.verdict),
        verdict.and_then(|v| v.fio.as_deref()),
        verdict.and_then(|v| v.doc_date),
        verdict.and_then(|v| v.doc_type),
        verdict.map(|v| v.single_doc_type),
        verdict.and_then(|v| v.doc_type_known),
        checks,
        evidence,
        json!(compact::seconds(&finish.stage_timings)),
        verdict.map_or(&[][..], |v| &v.flags[..]),
        finish.page_count,
        finish.ocr_engine,
        finish.analyzer,
        finish.model,
        finish.prompt_version,
        env!("CARGO_PKG_VERSION"),
        finish.ocr_seconds,
        finish.llm_seconds,
        &codes,
        &ints,
        &details,
        &pages.numbers,
        &pages.texts as &[&str],
        &pages.confidences as &[Option<f32>],
        &pages.sources,
        &pages.image_keys as &[Option<String>],
        &calls.types,
        &calls.models,
        &calls.ago,
        &calls.durations,
        &calls.prompt_tokens as &[Option<i32>],
        &calls.completion_tokens as &[Option<i32>],
        &calls.total_tokens as &[Option<i32>],
        &calls.outcomes,
        finish.dead_reason,
        finish.worker,
        finish.last_worker,
        &calls.costs as &[Option<f64>],
        finish.duplicate_of,
        &prints,
        finish.found_key,
    )
    .fetch_optional(executor)
    .await?)
}

fn errors_as_columns(errors: &[ErrorCode]) -> (Vec<String>, Vec<i32>, Vec<String>) {
    (
        errors.iter().map(|code| code.as_str().to_owned()).collect(),
        errors.iter().map(|code| code.int_code()).collect(),
        errors.iter().map(|code| code.detail().to_owned()).collect(),
    )
}

struct Pages<'a> {
    numbers: Vec<i32>,
    texts: Vec<&'a str>,
    confidences: Vec<Option<f32>>,
    sources: Vec<String>,
    image_keys: Vec<Option<String>>,
}

impl<'a> Pages<'a> {
    fn of(pages: &'a [FinishedPage]) -> Self {
        Self {
            numbers: pages.iter().map(|page| i32::try_from(page.number).unwrap_or(i32::MAX)).collect(),
            texts: pages.iter().map(|page| page.text.as_str()).collect(),
            confidences: pages.iter().map(|page| page.confidence).collect(),
            sources: pages.iter().map(|page| page.source.to_owned()).collect(),
            image_keys: pages.iter().map(|page| page.image_key.clone()).collect(),
        }
    }
}

#[derive(Default)]
struct Calls {
    types: Vec<String>,
    models: Vec<String>,
    ago: Vec<f64>,
    durations: Vec<f64>,
    prompt_tokens: Vec<Option<i32>>,
    completion_tokens: Vec<Option<i32>>,
    total_tokens: Vec<Option<i32>>,
    costs: Vec<Option<f64>>,
    outcomes: Vec<String>,
}

impl Calls {
    fn of(calls: &[FinishedCall]) -> Self {
        let mut columns = Self::default();
        for call in calls {
            columns.types.push(call.call_type.to_owned());
            columns.models.push(call.model.clone());
            columns.ago.push(call.began_seconds_ago);
            columns.durations.push(call.duration_seconds);
            columns.prompt_tokens.push(call.prompt_tokens);
            columns.completion_tokens.push(call.completion_tokens);
            columns.total_tokens.push(call.total_tokens);
            columns.costs.push(call.cost);
            columns.outcomes.push(call.outcome.clone());
        }
        columns
    }
}
