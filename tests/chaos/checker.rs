//! Holds what was promised against what is, from the outside: the api's answers, the callbacks that arrived, the
//! rows and files that are left.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde_json::Value;
use sqlx::PgPool;
use tokio::time::Instant;

use super::api::Api;
use super::documents::Kind;
use super::endpoint::Arrival;
use super::ledger::{Promise, Since};

/// How long after the last fault everything must have ended.
pub const SETTLED: Duration = Duration::from_secs(60);

/// What an error may be that faults have caused.
const PASSING: &[&str] = &["FILE_SAVE_FAILED", "OCR_FAILED", "LLM_FAILED", "LLM_INVALID_RESPONSE", "TIMED_OUT"];

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Promises that were not kept, in words.
    pub broken: Vec<String>,
    /// Runs with a verdict.
    pub judged: usize,
    /// Runs that ended in an error that faults may cause, by code.
    pub failed: BTreeMap<String, usize>,
    /// Runs that were cancelled or erased.
    pub withdrawn: usize,
    /// Runs that needed more than one attempt.
    pub again: usize,
}

impl Findings {
    fn broken(&mut self, how: String) {
        self.broken.push(how);
    }
}

/// Waits until every run has ended and nothing is owed, up to [`SETTLED`], and judges.
///
/// # Errors
/// The database cannot be asked.
pub async fn check(
    api: &Api,
    pool: &PgPool,
    promises: &[Promise],
    arrivals: impl Fn() -> Vec<Arrival>,
) -> anyhow::Result<Findings> {
    let deadline = Instant::now() + SETTLED;
    let mut findings = Findings::default();
    let owed = nothing_owed(pool, deadline).await?;
    for job in owed {
        findings.broken(format!("stuck: {job}"));
    }
    let arrivals = by_submission(arrivals());
    let answers = stream::iter(promises).map(|promise| async move { (promise, api.run(&promise.run_id).await) });
    let mut answers = answers.buffer_unordered(8);
    while let Some((promise, answer)) = answers.next().await {
        let (status, run) = answer?;
        let came = arrivals.get(&promise.number).map_or(&[][..], Vec::as_slice);
        judge(promise, status, &run, came, &mut findings);
    }
    for row in doubles(pool).await? {
        findings.broken(format!("doubled: {row}"));
    }
    for row in remains(pool).await? {
        findings.broken(format!("kept: {row}"));
    }
    Ok(findings)
}

fn by_submission(arrivals: Vec<Arrival>) -> BTreeMap<u64, Vec<Arrival>> {
    let mut sorted: BTreeMap<u64, Vec<Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        sorted.entry(arrival.submission).or_default().push(arrival);
    }
    sorted
}

/// Judges one promise by what the api answers and what arrived.
fn judge(promise: &Promise, status: u16, run: &Value, came: &[Arrival], findings: &mut Findings) {
    let name = format!("{} ({:?}, {:?})", promise.run_id, promise.kind, promise.since);
    let erased = matches!(promise.since, Since::Erased) || (promise.since == Since::EraseAsked && status == 410);
    if erased {
        findings.withdrawn += 1;
        if status != 410 {
            findings.broken(format!("wrong: {name} was erased and is answered {status}"));
        }
        return;
    }
    if status != 200 {
        return findings.broken(format!("lost: {name} is answered {status}"));
    }
    if let Some(wrong) = wrong(promise, run) {
        findings.broken(format!("wrong: {name} {wrong}"));
    }
    if let Some(seen) = &promise.seen
        && seen != run
    {
        findings.broken(format!("changed: {name} was seen otherwise when it had ended"));
    }
    match (run["status"].as_str(), run["error_code"].as_str()) {
        (Some("success"), _) => findings.judged += 1,
        (_, Some("CANCELLED")) => findings.withdrawn += 1,
        (_, code) => *findings.failed.entry(code.unwrap_or("processing").to_owned()).or_default() += 1,
    }
    findings.again += usize::from(run["attempts"].as_u64().is_some_and(|attempts| attempts > 1));
    if let Some(wrong) = wrong_callbacks(run, came) {
        findings.broken(format!("callbacks: {name} {wrong}"));
    }
}

/// What is wrong with the end of a run; none where it is as it must be.
fn wrong(promise: &Promise, run: &Value) -> Option<String> {
    let code = run["error_code"].as_str();
    match (run["status"].as_str(), run["verdict"].as_bool()) {
        (Some("success"), Some(true)) if promise.kind != Kind::Valid => Some("was accepted".to_owned()),
        (Some("success"), _) if promise.since == Since::Cancelled => Some("was cancelled and has a verdict".to_owned()),
        // What a lie makes of a good document may be an error or a refusal, never more.
        (Some("success"), _) if promise.lied_to => None,
        (Some("success"), _) if code == promise.kind.code() => None,
        (Some("error"), None) if code == Some("CANCELLED") => {
            let asked = matches!(promise.since, Since::Cancelled | Since::CancelAsked);
            (!asked).then(|| "is cancelled and nobody asked".to_owned())
        }
        (Some("error"), None) if promise.since == Since::Cancelled => {
            Some(format!("was cancelled and ended with {code:?}"))
        }
        (Some("error"), None) if code.is_some_and(|code| PASSING.contains(&code)) => None,
        (status, verdict) => Some(format!("ended with {status:?}, {verdict:?}, {code:?}")),
    }
}

/// What is wrong with the callbacks of a run that has ended.
fn wrong_callbacks(run: &Value, came: &[Arrival]) -> Option<String> {
    let Some(first) = came.iter().find(|arrival| arrival.accepted) else {
        return Some("was never told of".to_owned());
    };
    for arrival in came {
        if !arrival.verified {
            return Some("came with a signature that does not verify".to_owned());
        }
        if arrival.status.as_deref() == Some("processing") {
            return Some("was told of before it had ended".to_owned());
        }
        if arrival.webhook_id != first.webhook_id || arrival.body != first.body {
            return Some("was told of in two ways".to_owned());
        }
    }
    let told: Value = serde_json::from_slice(&first.body).unwrap_or_default();
    let same = |field: &str| told["data"][field] == run[field];
    (!(same("run_id") && same("status") && same("verdict"))).then(|| "was told of wrongly".to_owned())
}

/// Waits until no job is left; those that are at the deadline, in words.
async fn nothing_owed(pool: &PgPool, deadline: Instant) -> anyhow::Result<Vec<String>> {
    let statement = "SELECT kind || ' of run ' || run_id || ', attempts ' || attempts || ', ' || stage || ', '
        || CASE WHEN lease_token IS NOT NULL THEN 'leased' WHEN published_at IS NOT NULL THEN 'published' ELSE 'waiting' END
        || coalesce(', ' || last_error, '') FROM jobs ORDER BY created_at LIMIT 50";
    loop {
        let owed: Vec<String> = sqlx::query_scalar(statement).fetch_all(pool).await?;
        if owed.is_empty() || Instant::now() >= deadline {
            return Ok(owed);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Submissions that became two runs, and generations that ended twice, in words.
async fn doubles(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT 'submission ' || external_request_id || ' made ' || count(*) || ' runs'
         FROM verification_runs GROUP BY external_request_id HAVING count(*) > 1
         UNION ALL
         SELECT 'run ' || run_id || ' ended ' || count(*) || ' times'
         FROM audit_events WHERE action = 'run.finished'
         GROUP BY run_id, details ->> 'generation' HAVING count(*) > 1
         UNION ALL
         SELECT 'run ' || run_id || ' has ' || count(*) || ' events' FROM callbacks GROUP BY run_id HAVING count(*) > 1",
    )
    .fetch_all(pool)
    .await?)
}

/// What is left of runs that were erased, in words.
async fn remains(pool: &PgPool) -> anyhow::Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT 'erased run ' || run_id || ' has its ' || string_agg(DISTINCT what, ', ')
         FROM (SELECT run_id, 'errors' AS what FROM verification_errors UNION ALL SELECT run_id, 'pages' FROM ocr_pages
               UNION ALL SELECT run_id, 'model calls' FROM llm_calls UNION ALL SELECT run_id, 'events' FROM callbacks
               UNION ALL SELECT run_id, 'tries' FROM callback_attempts
               UNION ALL SELECT run_id, 'record' FROM verification_runs) AS kept
         JOIN erasures USING (run_id) GROUP BY run_id",
    )
    .fetch_all(pool)
    .await?)
}
