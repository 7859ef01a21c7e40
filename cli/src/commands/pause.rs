//! `rb-ocr pause|resume intake|runs|callbacks`: for the whole fleet, in force within seconds, until it is resumed.

use anyhow::{Context, bail};
use serde_json::json;
use shared::run_view::rfc3339;
use shared::store::switches::{self, Switch};

use crate::output::show;
use crate::store::{actor, open};
use crate::words::one_of;

/// What to pause, and why.
#[derive(clap::Args, Debug)]
pub struct PauseArgs {
    /// What
    #[arg(value_parser = one_of(Switch::ALL, Switch::as_str))]
    what: Switch,
    /// Why, for whoever finds it paused
    #[arg(long, default_value = "no reason was given")]
    reason: String,
}

/// What to resume.
#[derive(clap::Args, Debug)]
pub struct ResumeArgs {
    /// What
    #[arg(value_parser = one_of(Switch::ALL, Switch::as_str))]
    what: Switch,
}

/// Pauses.
///
/// # Errors
/// The database is away, or it is paused already.
pub async fn pause(args: &PauseArgs, json: bool) -> anyhow::Result<()> {
    let (_, pool) = open().await?;
    let (name, reason) = (args.what.as_str(), args.reason.trim());
    if reason.is_empty() || reason.chars().count() > 300 || reason.chars().any(char::is_control) {
        bail!("--reason must be a line of 1 to 300 characters");
    }
    if !switches::pause(&pool, args.what, &actor(), reason).await? {
        let pauses = switches::paused(&pool).await?;
        let pause = pauses.iter().find(|pause| pause.switch == args.what);
        let pause = pause.with_context(|| format!("{name} was paused and has just been resumed"))?;
        bail!("{name} is paused already, since {} by {}: {}", rfc3339(pause.at), pause.by, pause.reason);
    }
    let follows = match args.what {
        Switch::Intake => "submissions are answered with 503 within seconds; all else goes on",
        Switch::Runs => "no run is begun from now on; workers finish what they hold, and submissions wait",
        Switch::Callbacks => "no callback is sent from now on, but for those under way; they are owed until then",
    };
    show(json, &json!({ "paused": name, "reason": reason }), || {
        format!("{name}: paused; {follows}.\n`rb-ocr resume {name}` ends it.")
    });
    Ok(())
}

/// Resumes.
///
/// # Errors
/// The database is away, or it is not paused.
pub async fn resume(args: &ResumeArgs, json: bool) -> anyhow::Result<()> {
    let (_, pool) = open().await?;
    let name = args.what.as_str();
    let Some(pause) = switches::resume(&pool, args.what, &actor()).await? else { bail!("{name} is not paused") };
    let answer = json!({
        "resumed": name, "paused_at": rfc3339(pause.at), "paused_by": pause.by, "reason": pause.reason,
    });
    show(json, &answer, || {
        format!("{name}: resumed; it was paused since {} by {}: {}.", rfc3339(pause.at), pause.by, pause.reason)
    });
    Ok(())
}
