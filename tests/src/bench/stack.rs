//! One api and its workers as release builds, on the private services, with the stand-ins of this process.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::document;
use crate::binaries::{self, Server, command_line};
use crate::process::Environment;
use crate::services::{Database, Queues, checkout};
use crate::standins::{llm, ocr};

/// Readiness is asked for so often: the start is measured by it.
const ASK: Duration = Duration::from_millis(2);

/// A limit, not an expectation.
const READY: Duration = Duration::from_secs(60);

/// `SHUTDOWN_SECONDS` of the workers, and a little more.
const STOP: Duration = Duration::from_secs(35);

/// What differs between the scenarios.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Workers.
    pub workers: u32,
    /// `WORKER_CONCURRENCY` of each.
    pub concurrency: u32,
    /// Until the OCR service has read a document.
    pub ocr_delay: Duration,
    /// Until the model answers.
    pub llm_delay: Duration,
}

impl Shape {
    /// `WORKER_CONCURRENCY` where nothing is waited for: more than are in hand at once.
    pub const AMPLE: u32 = 64;

    /// Stand-ins that answer at once.
    pub const fn at_once(workers: u32) -> Self {
        Self { workers, concurrency: Self::AMPLE, ocr_delay: Duration::ZERO, llm_delay: Duration::ZERO }
    }
}

/// A process and how it came up.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub server: Server,
    /// From its start to the first good answer of `/readyz`, in milliseconds.
    pub ready_ms: f64,
}

/// The running system. Its database, queues and documents go with it.
#[derive(Debug)]
pub struct Stack {
    /// The api.
    pub api: Started,
    /// The workers.
    pub workers: Vec<Started>,
    /// A key that may submit and read.
    pub key: String,
    /// For looking at the database; its backend is left out of what is measured.
    pub eyes: PgConnection,
    /// How often [`Stack::owed`] was asked: each is a commit.
    pub looks: u64,
    /// What the queues' names begin with.
    pub queues: Queues,
    _standins: (ocr::Ocr, llm::Llm),
    _database: Database,
    _folder: TempDir,
}

#[derive(Deserialize)]
struct NewKey {
    key: String,
}

impl Stack {
    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// Where a binary is missing or does not become ready.
    pub async fn start(shape: Shape) -> anyhow::Result<Self> {
        let (database, queues) = (Database::fresh().await, Queues::fresh());
        // On the disk of the checkout: a folder in memory would make syncing cheaper than it is.
        let place = checkout().join(".local/bench");
        std::fs::create_dir_all(&place)?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(place)?;
        let documents = folder.path().join("documents");
        std::fs::create_dir(&documents)?;
        let ocr =
            ocr::Ocr::start(ocr::Behaviour { delay: shape.ocr_delay, ..ocr::Behaviour::reading(&[&document::text()]) })
                .await;
        let model =
            llm::Behaviour { delay: shape.llm_delay, keep_calls: false, ..llm::Behaviour::answering(document::answer) };
        let llm = llm::Llm::start(model).await;
        let environment = binaries::environment(&database, &queues, &documents)
            .with("OCR_ENGINE", "http")
            .with("OCR_BASE_URL", ocr.base_url())
            .with("ANALYZER", "llm")
            .with("LLM_BASE_URL", llm.base_url())
            .with("LLM_MODEL", "stand-in")
            .with("WORKER_CONCURRENCY", shape.concurrency.to_string())
            // One client that submits faster than any is let by default.
            .with("RATE_LIMIT", "100000/60");
        let key = key(&environment).await?;
        let api = started("rb-ocr-api", "API_LISTEN", &environment, &folder.path().join("api.log")).await?;
        let mut workers = Vec::new();
        for number in 1..=shape.workers {
            let log = folder.path().join(format!("worker-{number}.log"));
            workers.push(started("rb-ocr-worker", "WORKER_LISTEN", &environment, &log).await?);
        }
        let eyes = PgConnection::connect(database.url()).await?;
        Ok(Self {
            api,
            workers,
            key,
            eyes,
            looks: 0,
            queues,
            _standins: (ocr, llm),
            _database: database,
            _folder: folder,
        })
    }

    /// Waits until nothing is owed any more, and answers when that was.
    ///
    /// # Errors
    /// Where it takes longer than `limit`.
    pub async fn all_done(&mut self, limit: Duration) -> anyhow::Result<Instant> {
        let end = Instant::now() + limit;
        loop {
            let (owed, _) = self.owed().await?;
            if owed == 0 {
                return Ok(Instant::now());
            }
            ensure!(Instant::now() < end, "{owed} runs are not finished after {} s", limit.as_secs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many runs are not finished, and how many of them a worker has in hand.
    ///
    /// # Errors
    /// The database is away.
    pub async fn owed(&mut self) -> sqlx::Result<(i64, i64)> {
        self.looks += 1;
        sqlx::query_as("SELECT count(*), count(lease_token) FROM jobs").fetch_one(&mut self.eyes).await
    }

    /// The database's time.
    ///
    /// # Errors
    /// The database is away.
    pub async fn now(&mut self) -> sqlx::Result<DateTime<Utc>> {
        sqlx::query_scalar("SELECT now()").fetch_one(&mut self.eyes).await
    }

    /// Milliseconds from `created_at` to `completed_at` of the runs since then.
    ///
    /// # Errors
    /// The database is away.
    pub async fn durations_since(&mut self, since: DateTime<Utc>) -> sqlx::Result<Vec<f64>> {
        let durations = "SELECT (extract(epoch FROM completed_at - created_at) * 1000)::float8
                         FROM verification_runs WHERE created_at >= $1";
        sqlx::query_scalar(durations).bind(since).fetch_all(&mut self.eyes).await
    }

    /// Checks that there are so many runs and that each has got the verdict it should.
    ///
    /// # Errors
    /// Where one has not: the figures would be of something else.
    pub async fn check(&mut self, runs: u64) -> anyhow::Result<()> {
        let (all, accepted): (i64, i64) = sqlx::query_as(
            "SELECT count(*), count(*) FILTER (WHERE status = 'success' AND verdict AND attempts = 1) FROM verification_runs",
        )
        .fetch_one(&mut self.eyes)
        .await?;
        let runs = i64::try_from(runs)?;
        ensure!(all == runs && accepted == runs, "of {runs} runs {all} are there and {accepted} were accepted at once");
        Ok(())
    }

    /// How many child processes the workers have started, by their own count.
    ///
    /// # Errors
    /// Where a worker does not answer.
    pub async fn children(&self) -> anyhow::Result<f64> {
        let mut children = 0.0;
        for worker in &self.workers {
            let metrics = reqwest::get(format!("{}/metrics", worker.server.url())).await?.text().await?;
            let count = metrics.lines().find_map(|line| line.strip_prefix("rb_ocr_ocr_child_wait_seconds_count "));
            let count = count.context("a worker does not count its children")?;
            children += count.parse::<f64>()?;
        }
        Ok(children)
    }

    /// Ends everything in order and leaves nothing.
    ///
    /// # Errors
    /// Where a process had ended by itself or does not end well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for started in std::iter::once(&mut self.api).chain(&mut self.workers) {
            started.server.process.signal(libc::SIGTERM);
        }
        for started in std::iter::once(&mut self.api).chain(&mut self.workers) {
            let status = started.server.process.stop(STOP).await;
            ensure!(
                status.is_some_and(|status| status.success()),
                "a process ended with {status:?}:\n{}",
                started.server.process.log_tail(20)
            );
        }
        self.eyes.close().await?;
        Ok(())
    }
}

async fn key(environment: &Environment) -> anyhow::Result<String> {
    let arguments = ["keys", "create", "--name", "bench", "--scopes", "submit,read", "--json"];
    let made = command_line(&arguments, environment).await?;
    command_line(&["clients", "set", "bench", "--allow-high", "--json"], environment).await?;
    Ok(serde_json::from_slice::<NewKey>(&made.stdout).context("`rb-ocr keys create` printed no key")?.key)
}

async fn started(binary: &str, setting: &str, environment: &Environment, log: &Path) -> anyhow::Result<Started> {
    let begin = Instant::now();
    let mut server = Server::start(binary, setting, environment, log)?;
    while server.status("/readyz").await != Some(200) {
        ensure!(server.process.ended().is_none(), "{binary} ended while starting:\n{}", server.process.log_tail(20));
        ensure!(
            begin.elapsed() < READY,
            "{binary} is not ready after {} s:\n{}",
            READY.as_secs(),
            server.process.log_tail(20)
        );
        tokio::time::sleep(ASK).await;
    }
    Ok(Started { server, ready_ms: begin.elapsed().as_secs_f64() * 1000.0 })
}
