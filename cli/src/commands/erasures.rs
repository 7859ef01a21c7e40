//! `rb-ocr erasures apply`: what was erased is erased again, in a database that was restored from before.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use serde_json::json;
use shared::documents::Documents;
use shared::retention::{apply_erasures, erasure_list};

use crate::output::show;
use crate::store::open;

/// What to do with erasures.
#[derive(Subcommand, Debug)]
pub enum Erasures {
    /// Erases again what a list says: after a restore, before the api is started
    Apply(ApplyArgs),
}

/// Which list.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("list").required(true)))]
pub struct ApplyArgs {
    /// A file with an erasure in each line, as they lie in the document store
    #[arg(group = "list")]
    file: Option<PathBuf>,
    /// All lists of the document store
    #[arg(long, group = "list")]
    from_store: bool,
}

impl Erasures {
    /// Does it.
    ///
    /// # Errors
    /// A list cannot be read, or the database is away; it may be done again then.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let Self::Apply(args) = self;
        let (settings, pool) = open().await?;
        let mut all = Vec::new();
        if let Some(file) = &args.file {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            match erasure_list::parse(&text) {
                Ok(list) => all = list,
                Err(line) => bail!("line {line} of {} is no erasure: nothing was done", file.display()),
            }
        } else {
            let documents = Documents::open(&settings.storage_url).context("STORAGE_URL cannot be used")?;
            for day in erasure_list::days(&documents).await? {
                all.extend(erasure_list::read(&documents, day).await?);
            }
        }
        let applied = apply_erasures(&pool, &all).await?;
        let answer = json!({
            "erasures": all.len(), "erased": applied.erased, "noted": applied.noted, "known": applied.known,
        });
        show(json, &answer, || {
            format!(
                "{} erasures: {} runs were there and are erased, {} were not and are noted, {} were known.",
                all.len(),
                applied.erased,
                applied.noted,
                applied.known
            )
        });
        Ok(())
    }
}
