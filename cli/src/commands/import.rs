//! `rb-ocr import RUNS_DIR`: what the system before this one left on disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use shared::documents::Documents;
use shared::store::{self, Pool, clients};
use uuid::Uuid;

use crate::importing::{Ended, Import, Means};
use crate::output::{Status, tell};
use crate::store::{actor, open};

/// Whose the runs become where there are no clients, or several.
const CLIENT: &str = "legacy";

/// Went through all, and some folders could not be read.
const SOME_UNREADABLE: u8 = 3;

/// What a shell makes of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// What to import.
#[derive(clap::Args, Debug)]
#[command(after_help = "Ends with 0 where every folder is in the record now, 3 where some could not be read (each is \
    told of, all others are imported), 1 where it could not go on, 130 after Ctrl-C. It may be given again at any \
    time: what is there is passed over.")]
pub struct Args {
    /// The folder with a folder for each day
    runs_dir: PathBuf,
    /// Whose the runs become; unless told the only client there is, else `legacy`, which is made
    #[arg(long)]
    client: Option<String>,
    /// Says what would become of each folder, and writes nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports. With `json` each folder is a line of JSON; the summary goes to stderr.
///
/// # Errors
/// The folder, the database or the document store cannot be used; or, at the end, some folders could not be read.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    let documents = Documents::open(&settings.storage_url).context("STORAGE_URL cannot be used")?;
    let name = client(&pool, args).await?;
    let client_id = if args.dry_run { None } else { Some(clients::ensure(&pool, Uuid::now_v7(), &name).await?.0) };
    let means = Means {
        now: store::now(&pool).await?,
        pool,
        documents,
        client_id,
        actor: actor(),
        time_zone: settings.time_zone,
        stop: stop_at_ctrl_c(),
    };
    let began = Instant::now();
    let Ended { counts, stopped } = Import::new(means, &args.runs_dir, json)?.run().await?;
    let would = if args.dry_run { " (nothing was written)" } else { "" };
    let seconds = began.elapsed().as_secs_f64();
    tell(json, &format!("{} folders in {seconds:.1} s for client {name}: {counts}{would}", counts.all()));
    if stopped {
        return Err(Status::new(INTERRUPTED, "interrupted: the same command goes on from there").into());
    }
    if counts.unreadable > 0 {
        let said = format!("{} folders could not be read; they stay as they are", counts.unreadable);
        return Err(Status::new(SOME_UNREADABLE, said).into());
    }
    Ok(())
}

/// A client that is named must be there: a name that is mistyped would otherwise take all the runs.
async fn client(pool: &Pool, args: &Args) -> anyhow::Result<String> {
    match &args.client {
        None => Ok(clients::only(pool).await?.unwrap_or_else(|| CLIENT.to_owned())),
        Some(name) if name == CLIENT => Ok(name.clone()),
        Some(name) => {
            let unknown = || format!("there is no client {name}: `rb-ocr keys create` makes one");
            Ok(clients::find(pool, name).await?.with_context(unknown)?.name)
        }
    }
}

/// The first Ctrl-C ends the import after the batch in hand, the second at once.
fn stop_at_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if told.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(INTERRUPTED));
            }
        }
    });
    stop
}
