//! `rb-ocr compare RUNS_DIR`: where the verdicts of the system before and ours differ.

use std::path::PathBuf;

use shared::store;

use crate::comparing::Comparison;
use crate::output::{Status, tell};
use crate::store::open;

/// Something differs, or could not be compared.
const DIFFERENT: u8 = 3;

/// What to compare.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "An old run is held against the run of ours that it was written from (ARTIFACTS_DIR), else the \
    newest with the same external_request_id, else the one imported from it, else the newest with the same document. \
    Ends with 3 where something differs or could not be read."
)]
pub struct Args {
    /// The folder with a folder for each day
    runs_dir: PathBuf,
}

/// Compares. With `json` each folder is a line, and the last line holds the counts.
///
/// # Errors
/// The folder or the database cannot be used; or, at the end, something differs.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (_, pool) = open().await?;
    let now = store::now(&pool).await?;
    let counts = Comparison::new(&pool, &args.runs_dir, now, json)?.run().await?;
    if json {
        crate::output::show(true, &serde_json::json!({ "counts": counts }), String::new);
    } else {
        tell(false, &counts.to_string());
    }
    match (counts.differs, counts.unreadable) {
        (0, 0) => Ok(()),
        (differs, unreadable) => {
            Err(Status::new(DIFFERENT, format!("{differs} folders differ, {unreadable} could not be read")).into())
        }
    }
}
