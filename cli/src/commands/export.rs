//! `rb-ocr export --day D`: a day for the warehouse, without names and IIN.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::NaiveDate;
use serde_json::json;
use shared::documents::Documents;
use shared::export::{key, write_day};
use shared::store;

use crate::output::show;
use crate::store::open;

/// Which day, and where to.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Of the runs' creation, in `TIME_ZONE`
    #[arg(long)]
    day: NaiveDate,
    /// A file; unless told, `export/D.parquet` in the document store
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Writes the day.
///
/// # Errors
/// The database or the document store is away, or the file cannot be written.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    let (day, terms) = (args.day, settings.terms());
    let today = store::now(&pool).await?.with_timezone(&terms.zone).date_naive();
    if day > today {
        bail!("{day} is still to come");
    }
    let (rows, place) = match &args.out {
        Some(out) => {
            // Beside it first, so that nobody reads half of it.
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let made = tempfile::NamedTempFile::new_in(folder)
                .with_context(|| format!("{} cannot be written", folder.display()))?;
            let rows = write_day(&pool, &terms, day, made.path()).await?;
            made.persist(out).with_context(|| format!("{} cannot be written", out.display()))?;
            (rows, out.display().to_string())
        }
        None => {
            let documents = Documents::open(&settings.storage_url).context("STORAGE_URL cannot be used")?;
            let made = tempfile::NamedTempFile::new().context("there is no folder for the file")?;
            let rows = write_day(&pool, &terms, day, made.path()).await?;
            documents.upload(&key(day), made.path()).await?;
            (rows, key(day))
        }
    };
    let unfinished = day == today;
    show(json, &json!({ "day": day, "rows": rows, "file": place, "whole_day": !unfinished }), || {
        let note = if unfinished { "; the day is not over" } else { "" };
        format!("{place}: {rows} runs of {day}{note}.")
    });
    Ok(())
}
