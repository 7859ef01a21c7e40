//! `rb-ocr seed`: many runs that never were, for trying searches, figures and sizes.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use chrono::Months;
use serde_json::json;
use shared::seed::Plan;
use shared::store::stats::{days_to_rebuild, rebuild_day};
use shared::store::{self, clients, seed};
use uuid::Uuid;

use crate::output::show;
use crate::store::open;

/// How many, and from when.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many runs
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    runs: u64,
    /// Spread over so many months until now
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=36))]
    months: u32,
    /// The same number makes the same people and documents
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Bytes of each run's text, about
    #[arg(long, default_value_t = 2_048, value_parser = clap::value_parser!(u32).range(200..=20_000))]
    text_bytes: u32,
    /// Batches written at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    writers: u8,
}

/// Writes them, as runs of the clients `seed-1` to `seed-3`, and counts them in the figures.
///
/// # Errors
/// It is production, or the database is away.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    if settings.production {
        bail!("RB_OCR_ENV=production: runs that never were have no place among those that were");
    }
    let mut owners = Vec::new();
    for name in ["seed-1", "seed-2", "seed-3"] {
        owners.push(clients::ensure(&pool, Uuid::now_v7(), name).await?.0);
    }
    let until = store::now(&pool).await?;
    let from = until.checked_sub_months(Months::new(args.months)).context("so many months ago there was no time")?;
    let text_bytes = args.text_bytes as usize;
    let plan = Arc::new(Plan { runs: args.runs, from, until, seed: args.seed, text_bytes, clients: owners });
    let begun = Instant::now();
    let watched = !json && std::io::stderr().is_terminal();
    seed::write_all(&pool, &plan, usize::from(args.writers), |written| {
        if watched {
            let _ = write!(std::io::stderr(), "\r{written} of {}", args.runs);
        }
    })
    .await
    .context("not all runs were written; those that were stay")?;
    let seconds = begun.elapsed().as_secs_f64();
    seed::settle(&pool).await?;
    let days = count(&pool, &plan, settings.time_zone).await?;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = args.runs as f64 / seconds;
    let told = json!({ "runs": args.runs, "seconds": seconds, "runs_per_second": rate, "days": days });
    show(json, &told, || {
        let line = if watched { "\n" } else { "" };
        format!("{line}{} runs over {days} days in {seconds:.1} s: {rate:.0} a second.", args.runs)
    });
    Ok(())
}

/// Has the figures hold them.
async fn count(pool: &store::Pool, plan: &Plan, zone: chrono_tz::Tz) -> anyhow::Result<u64> {
    let mut days = 0;
    if let Some((first, last)) = days_to_rebuild(pool, zone).await? {
        let mut day = plan.from.with_timezone(&zone).date_naive().max(first);
        while day <= plan.until.with_timezone(&zone).date_naive().min(last) {
            rebuild_day(pool, day, zone).await?;
            days += 1;
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
    }
    Ok(days)
}
