//! `rb-ocr cancel RUN_ID`: ends a run that is processing, by the api.

use super::show::summary;
use crate::http::{Api, answer};
use crate::output::show;

/// Which run.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Its id
    run_id: uuid::Uuid,
}

/// Cancels a run.
///
/// # Errors
/// The api cannot be reached, or refuses: the run has ended already.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = answer(Api::from_env()?.post(&format!("/v1/runs/{}/cancel", args.run_id))).await?;
    show(json, &run, || summary(&run));
    Ok(())
}
