//! Submissions: so many at once, or so many a second whatever becomes of the earlier ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use tokio::time::Instant;

use super::document::{APPLICANT, Scans};

/// Longer than any answer takes, a wait included.
const ANSWER: Duration = Duration::from_secs(70);

/// A caller of the api.
#[derive(Debug)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    key: String,
    scans: Scans,
    next: AtomicU64,
}

/// Times of one submission in milliseconds, counted from when it was to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Until the answer 202.
    pub submitted_ms: f64,
    /// Until a waiting GET has answered with the finished run.
    pub finished_ms: f64,
}

/// How a submission is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// As most are.
    Normal,
    /// By the queue of the urgent.
    High,
}

#[derive(Deserialize)]
struct Accepted {
    run_id: String,
}

#[derive(Deserialize)]
struct Run {
    status: String,
    verdict: Option<bool>,
}

impl Caller {
    /// Of the api at `url`.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(url: String, key: String) -> anyhow::Result<Arc<Self>> {
        shared::tls::install();
        let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).timeout(ANSWER).build()?;
        Ok(Arc::new(Self { http, url, key, scans: Scans::new(), next: AtomicU64::new(0) }))
    }

    /// How many were submitted so far.
    pub fn submitted(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Submits a document that nobody has submitted; answers the run's id.
    ///
    /// # Errors
    /// Where it is not accepted.
    pub async fn submit(&self, urgency: Urgency) -> anyhow::Result<String> {
        let file = self.scans.number(self.next.fetch_add(1, Ordering::Relaxed));
        let part = Part::stream(file).file_name("scan.pdf").mime_str("application/pdf")?;
        let mut form = Form::new().text("fio", APPLICANT).part("file", part);
        if urgency == Urgency::High {
            form = form.text("priority", "high");
        }
        let request = self.http.post(format!("{}/v1/runs", self.url)).bearer_auth(&self.key).multipart(form);
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status == StatusCode::ACCEPTED, "a submission got {status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice::<Accepted>(&body)?.run_id)
    }

    /// Waits for the end of a run, as a caller would.
    ///
    /// # Errors
    /// Where it has not ended well within a minute.
    pub async fn wait(&self, run_id: &str) -> anyhow::Result<()> {
        let request = self.http.get(format!("{}/v1/runs/{run_id}?wait=60", self.url)).bearer_auth(&self.key);
        let run: Run = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        ensure!(run.status == "success" && run.verdict == Some(true), "the run {run_id} is in {}", run.status);
        Ok(())
    }
}

/// Submits `runs` documents, `connections` at once, each as soon as there is room.
///
/// # Errors
/// Where one is not accepted.
pub async fn at_once(caller: &Arc<Caller>, runs: u32, connections: u32) -> anyhow::Result<()> {
    let submissions = stream::iter((0..runs).map(|_| Ok::<_, anyhow::Error>(Arc::clone(caller))));
    let connections = usize::try_from(connections)?;
    submissions
        .try_for_each_concurrent(connections, async |caller| caller.submit(Urgency::Normal).await.map(drop))
        .await
}

/// Submits `rate` documents a second for `seconds`, each at its moment however long the others take, and waits for
/// the end of each.
///
/// # Errors
/// Where one is not accepted or does not end well.
pub async fn steadily(caller: &Arc<Caller>, rate: u32, seconds: u32) -> anyhow::Result<Vec<Timed>> {
    let begin = Instant::now() + Duration::from_millis(50);
    let sending = (0..rate * seconds).map(|number| {
        let (caller, at) = (Arc::clone(caller), begin + Duration::from_secs(1) * number / rate);
        tokio::spawn(async move {
            tokio::time::sleep_until(at).await;
            let run_id = caller.submit(Urgency::Normal).await?;
            let submitted = at.elapsed();
            caller.wait(&run_id).await?;
            let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
            anyhow::Ok(Timed { submitted_ms: milliseconds(submitted), finished_ms: milliseconds(at.elapsed()) })
        })
    });
    let sent: Vec<_> = sending.collect();
    stream::iter(sent).then(async |task| task.await.context("a submission panicked")?).try_collect().await
}
