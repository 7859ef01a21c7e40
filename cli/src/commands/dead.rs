//! `rb-ocr dead list|show|retry|drop`: what was given up, for an operator to look at and to decide.

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::{Value, json};
use shared::run_view::rfc3339;
use shared::settings::Settings;
use shared::store::dead_jobs::{self, DeadRow};
use shared::store::retry::{self, Retrier};
use shared::store::{Pool, runs};
use shared::telemetry::TraceContext;
use uuid::Uuid;

use crate::output::{lines, show, table};
use crate::store::{actor, open};

/// What to do with dead letters.
#[derive(Subcommand, Debug)]
pub enum Dead {
    /// Lists dead letters, the newest first
    List {
        /// 1 to 500
        #[arg(long, default_value = "20", value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Shows a dead letter
    Show {
        /// Of the job or of its run
        id: Uuid,
    },
    /// Begins a new generation of a dead run, whatever it ended with
    Retry {
        /// Of the job or of its run
        id: Uuid,
    },
    /// Forgets a dead letter; its run stays as it ended
    Drop {
        /// Of the job or of its run
        id: Uuid,
    },
}

impl Dead {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, there is no such letter, or its run cannot be tried again.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let (settings, pool) = open().await?;
        match self {
            Self::List { limit } => list(&pool, limit, json).await,
            Self::Show { id } => {
                let item = columns(&one(&pool, id).await?);
                show(json, &item, || lines(&item));
                Ok(())
            }
            Self::Retry { id } => retry_run(&settings, &pool, &one(&pool, id).await?, json).await,
            Self::Drop { id } => drop_letter(&pool, &one(&pool, id).await?, json).await,
        }
    }
}

async fn list(pool: &Pool, limit: u16, json: bool) -> anyhow::Result<()> {
    let mut letters = dead_jobs::list(pool, None, limit + 1).await?;
    let more = letters.len() > usize::from(limit);
    letters.truncate(limit.into());
    let items: Vec<Value> = letters.iter().map(columns).collect();
    show(json, &json!({ "items": items, "more": more }), || {
        let row = |letter: &DeadRow| {
            let run_id = letter.run_id.map(|id| id.to_string()).unwrap_or_default();
            let client = letter.client.clone().unwrap_or_default();
            let (job_id, died_at) = (letter.job_id.to_string(), rfc3339(letter.died_at));
            vec![
                job_id,
                letter.kind.clone(),
                run_id,
                client,
                died_at,
                letter.attempts.to_string(),
                letter.reason.clone(),
            ]
        };
        let rest = if more { "\nThere are more: --limit." } else { "" };
        let heads = ["job", "kind", "run", "client", "died", "attempts", "reason"];
        table(&heads, &letters.iter().map(row).collect::<Vec<_>>()) + rest
    });
    Ok(())
}

async fn one(pool: &Pool, id: Uuid) -> anyhow::Result<DeadRow> {
    let mut found = dead_jobs::list(pool, Some(id), 10).await?;
    if found.len() > 1 {
        let named: Vec<String> = found.iter().map(|letter| letter.job_id.to_string()).collect();
        bail!("the run has {} dead letters; name one of their jobs: {}", found.len(), named.join(", "));
    }
    found
        .pop()
        .with_context(|| format!("there is no dead letter of {id}: `rb-ocr dead list` names those that there are"))
}

async fn retry_run(settings: &Settings, pool: &Pool, letter: &DeadRow, json: bool) -> anyhow::Result<()> {
    let (Some(run_id), Some(client_id)) = (letter.run_id.filter(|_| letter.kind == "run"), letter.client_id) else {
        bail!(
            "it is a message of the broker whose job was gone: there is nothing to do again; `rb-ocr dead drop` removes it"
        );
    };
    let (actor, trace) = (actor(), TraceContext::make().to_string());
    let retrier = Retrier {
        actor: &actor,
        operator: true,
        ip_address: None,
        trace_context: &trace,
        max_age: settings.timing.run_max_age,
    };
    let Some(generation) = retry::begin(pool, run_id, client_id, &retrier).await? else {
        let run = runs::find(pool, run_id).await?.with_context(|| format!("the run {run_id} is gone"))?;
        match run.document_key {
            None => bail!("the run's document is deleted: it cannot be read again"),
            Some(_) => bail!("the run is {} by now: there is nothing to try again", run.status.as_str()),
        }
    };
    show(json, &json!({ "run_id": run_id, "generation": generation }), || {
        format!("The run {run_id} is tried again, as its generation {generation}.")
    });
    Ok(())
}

async fn drop_letter(pool: &Pool, letter: &DeadRow, json: bool) -> anyhow::Result<()> {
    if !dead_jobs::drop_letter(pool, letter.job_id, &actor()).await? {
        bail!("the dead letter has gone meanwhile");
    }
    show(json, &json!({ "dropped": letter.job_id }), || format!("The dead letter {} is dropped.", letter.job_id));
    Ok(())
}

fn columns(letter: &DeadRow) -> Value {
    json!({
        "job_id": letter.job_id, "kind": letter.kind, "run_id": letter.run_id, "client": letter.client,
        "generation": letter.generation, "attempts": letter.attempts, "reason": letter.reason,
        "last_worker": letter.last_worker, "payload": letter.payload, "died_at": rfc3339(letter.died_at),
    })
}
