//! `rb-ocr jobs list|show|retry|release`: what is owed, and helping what is stuck.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use shared::run_view::rfc3339;
use shared::settings;
use shared::store::jobs::Kind;
use shared::store::jobs::operate::{self, JobRow, State, Wanted};
use shared::store::{Pool, StoreError};
use uuid::Uuid;

use crate::output::{lines, show, span, table};
use crate::store::{actor, open};
use crate::words::one_of;

/// What to do with jobs.
#[derive(Subcommand, Debug)]
pub enum Jobs {
    /// Lists jobs, the oldest first
    List(ListArgs),
    /// Shows a job, or the jobs of a run
    Show {
        /// Of the job or of its run
        id: Uuid,
    },
    /// Makes a job due now that waits for its next attempt
    Retry {
        /// Of the job, or of its run where that has one job only
        id: Uuid,
    },
    /// Takes a lease away, so that another worker may begin
    Release {
        /// Of the job, or of its run where that has one job only
        id: Uuid,
        /// Also while its worker is alive: what that worker is doing is lost
        #[arg(long)]
        force: bool,
    },
}

/// Which jobs.
#[derive(clap::Args, Debug)]
pub struct ListArgs {
    /// What they are for
    #[arg(long, value_parser = one_of(Kind::ALL, Kind::as_str))]
    kind: Option<Kind>,
    /// Where they are; `expired`: leased, and the lease has run out
    #[arg(long, value_parser = one_of(State::ALL, State::as_str))]
    state: Option<State>,
    /// Whose: the client's name
    #[arg(long)]
    client: Option<String>,
    /// Owed at least so long: 30s, 15m, 24h, 7d
    #[arg(long, default_value = "0s", value_parser = settings::duration)]
    older_than: Duration,
    /// 1 to 500
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

impl Jobs {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, there is no such job, or it is in another state.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let (_, pool) = open().await?;
        match self {
            Self::List(args) => list(&pool, args, json).await,
            Self::Show { id } => show_jobs(&some(operate::find(&pool, id).await, id)?, json),
            Self::Retry { id } => retry(&pool, id, json).await,
            Self::Release { id, force } => release(&pool, id, force, json).await,
        }
    }
}

async fn list(pool: &Pool, args: ListArgs, json: bool) -> anyhow::Result<()> {
    let ListArgs { kind, state, client, older_than, limit } = args;
    // One more than is shown, so that what is left over is told.
    let mut jobs = operate::list(pool, &Wanted { kind, state, client, older_than }, limit + 1).await?;
    let more = jobs.len() > usize::from(limit);
    jobs.truncate(limit.into());
    let items: Vec<Value> = jobs.iter().map(columns).collect();
    show(json, &json!({ "items": items, "more": more }), || {
        let row = |job: &JobRow| {
            vec![
                job.job_id.to_string(),
                job.kind.clone(),
                job.state.clone(),
                job.client.clone(),
                span(job.age_seconds),
                job.attempts.to_string(),
                job.stage.clone(),
                job.lease_owner.clone().unwrap_or_default(),
                job.last_error.clone().unwrap_or_default(),
            ]
        };
        let heads = ["job", "kind", "state", "client", "age", "attempts", "stage", "worker", "last error"];
        let rest = if more { "\nThere are more: --limit, --kind, --state, --client, --older-than." } else { "" };
        table(&heads, &jobs.iter().map(row).collect::<Vec<_>>()) + rest
    });
    Ok(())
}

fn show_jobs(jobs: &[JobRow], json: bool) -> anyhow::Result<()> {
    let items: Vec<Value> = jobs.iter().map(columns).collect();
    show(json, &json!({ "items": items }), || items.iter().map(lines).collect::<Vec<_>>().join("\n\n"));
    Ok(())
}

async fn retry(pool: &Pool, id: Uuid, json: bool) -> anyhow::Result<()> {
    let job = one(operate::find(pool, id).await, id)?;
    if !operate::make_due(pool, job.job_id, &actor()).await? {
        match some(operate::find(pool, job.job_id).await, id)?.first() {
            Some(JobRow { lease_owner: Some(owner), .. }) => {
                bail!("the job is being worked on by {owner}: `rb-ocr jobs release` takes a lease away")
            }
            _ => bail!("the job has changed meanwhile: try again"),
        }
    }
    show(json, &json!({ "job_id": job.job_id, "run_id": job.run_id, "state": "waiting" }), || {
        format!("The {} job {} is due now.", job.kind, job.job_id)
    });
    Ok(())
}

async fn release(pool: &Pool, id: Uuid, force: bool, json: bool) -> anyhow::Result<()> {
    let job = one(operate::find(pool, id).await, id)?;
    if !operate::release(pool, job.job_id, force, &actor()).await? {
        match some(operate::find(pool, job.job_id).await, id)?.first() {
            Some(JobRow { lease_owner: Some(owner), .. }) => bail!(
                "the worker {owner} is alive and holds the job: stop that worker, or use --force, which loses what it is doing"
            ),
            _ => bail!("nobody holds the job: there is no lease to take away"),
        }
    }
    let owner = job.lease_owner.unwrap_or_default();
    show(json, &json!({ "job_id": job.job_id, "run_id": job.run_id, "state": "waiting", "worker": owner }), || {
        format!(
            "The {} job {} was taken from {owner}, which can change nothing any more; it is due now.",
            job.kind, job.job_id
        )
    });
    Ok(())
}

fn some(found: Result<Vec<JobRow>, StoreError>, id: Uuid) -> anyhow::Result<Vec<JobRow>> {
    Some(found?)
        .filter(|jobs| !jobs.is_empty())
        .with_context(|| format!("there is no job {id}, nor one of such a run: what is finished owes nothing"))
}

/// The one job that is meant.
fn one(found: Result<Vec<JobRow>, StoreError>, id: Uuid) -> anyhow::Result<JobRow> {
    let mut jobs = some(found, id)?;
    if let [_, _, ..] = &jobs[..] {
        let named: Vec<String> = jobs.iter().map(|job| format!("{} ({})", job.job_id, job.kind)).collect();
        bail!("the run has {} jobs; name one of them: {}", jobs.len(), named.join(", "));
    }
    jobs.pop().context("a job was found")
}

fn columns(job: &JobRow) -> Value {
    json!({
        "job_id": job.job_id, "kind": job.kind, "run_id": job.run_id, "client": job.client, "state": job.state,
        "priority": job.priority, "generation": job.generation, "attempts": job.attempts, "stage": job.stage,
        "age_seconds": job.age_seconds, "created_at": rfc3339(job.created_at),
        "available_at": rfc3339(job.available_at), "expires_at": job.expires_at.map(rfc3339),
        "published_at": job.published_at.map(rfc3339), "publish_no": job.publish_no, "republished": job.republished,
        "lease_owner": job.lease_owner, "owner_alive": job.owner_alive, "leased_at": job.leased_at.map(rfc3339),
        "lease_until": job.lease_until.map(rfc3339), "lease_token": job.lease_token, "work_ms": job.work_ms,
        "last_error": job.last_error, "payload": job.payload, "trace_context": job.trace_context,
    })
}
