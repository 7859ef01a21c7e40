//! `rb-ocr stats rebuild`: the figures made anew from the runs that are there.

use anyhow::bail;
use chrono::{NaiveDate, TimeDelta};
use clap::Subcommand;
use serde_json::json;
use shared::store;
use shared::store::stats::{days_to_rebuild, rebuild_day};

use crate::output::show;
use crate::store::open;

/// What to do with the figures.
#[derive(Subcommand, Debug)]
pub enum Stats {
    /// Makes the figures of whole days anew from their runs; may be done while runs end
    Rebuild(RebuildArgs),
}

/// Which days.
#[derive(clap::Args, Debug)]
pub struct RebuildArgs {
    /// The first day; unless told, the first whose runs are all within their term
    #[arg(long)]
    from: Option<NaiveDate>,
    /// The last day; today unless told
    #[arg(long)]
    to: Option<NaiveDate>,
    /// Also days whose runs may be gone: what these had counted is lost
    #[arg(long)]
    past_retention: bool,
}

impl Stats {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, or the days are none that can be made anew.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let Self::Rebuild(args) = self;
        rebuild(&args, json).await
    }
}

async fn rebuild(args: &RebuildArgs, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    let zone = settings.time_zone;
    let now = store::now(&pool).await?;
    let kept = TimeDelta::from_std(settings.retention.success.min(settings.retention.error))?;
    let first_whole = ((now - kept).with_timezone(&zone).date_naive()).succ_opt().unwrap_or(NaiveDate::MAX);
    if args.from.is_some_and(|day| day < first_whole) && !args.past_retention {
        bail!(
            "runs of days before {first_whole} may be gone, and what they counted would be lost: --past-retention rebuilds all the same"
        );
    }
    let (mut days, mut counted) = (0_u64, 0);
    if let Some((first, last)) = days_to_rebuild(&pool, zone).await? {
        let mut day = args.from.unwrap_or(first_whole).max(first);
        let last = args.to.unwrap_or(last).min(last);
        while day <= last {
            counted += rebuild_day(&pool, day, zone).await?;
            days += 1;
            let Some(next) = day.succ_opt() else { break };
            day = next;
        }
    }
    show(json, &json!({ "days": days, "ended": counted }), || {
        format!("{days} days: {counted} ends of runs counted anew.")
    });
    Ok(())
}
