//! `rb-ocr submit FILE… --fio F [--wait]`: submits documents to the api.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::show::summary;
use crate::http::{Api, answer};
use crate::output::{sentence, show};

/// Seconds of one wait, the most that the api allows.
const WAIT: u64 = 60;

/// What to submit.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// PDF, JPEG, PNG or TIFF
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The applicant: surname, given name, patronymic
    #[arg(long)]
    fio: String,
    /// Waits until each run has finished
    #[arg(long)]
    wait: bool,
    /// Where the end is told
    #[arg(long)]
    callback_url: Option<String>,
    /// Your own number
    #[arg(long)]
    external_request_id: Option<String>,
}

/// Submits all files, then waits for all where asked to. What became of each is told, whatever became of the others.
///
/// # Errors
/// A file cannot be read, the api refuses it, or its run has ended in `error`. A verdict is no error.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let api = Api::from_env()?;
    let mut runs = Vec::new();
    for file in &args.files {
        runs.push((file, submit(&api, file, args).await));
    }
    for (_, run) in &mut runs {
        if let (Ok(accepted), true) = (&run, args.wait) {
            *run = ended(&api, accepted.clone()).await;
        }
    }
    let item = |file: &PathBuf, run: &anyhow::Result<Value>| match run {
        Ok(run) => json!({ "file": file, "run": run }),
        Err(error) => json!({ "file": file, "refused": sentence(error) }),
    };
    let items: Vec<Value> = runs.iter().map(|(file, run)| item(file, run)).collect();
    show(json, &json!({ "items": items }), || {
        let line = |run: &anyhow::Result<Value>| run.as_ref().map_or_else(sentence, summary);
        runs.iter().map(|(file, run)| format!("{}: {}", file.display(), line(run))).collect::<Vec<_>>().join("\n")
    });
    let failed = |run: &anyhow::Result<Value>| run.as_ref().map_or(true, |run| run["status"] == "error");
    match runs.iter().filter(|(_, run)| failed(run)).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} files failed", runs.len()),
    }
}

async fn ended(api: &Api, mut run: Value) -> anyhow::Result<Value> {
    while run["status"] == "processing" {
        let run_id = run["run_id"].as_str().context("the api's answer has no run_id")?;
        run = answer(api.get(&format!("/v1/runs/{run_id}?wait={WAIT}"))).await?;
    }
    Ok(run)
}

async fn submit(api: &Api, file: &Path, args: &Args) -> anyhow::Result<Value> {
    let name = file.file_name().context("is no file")?.to_string_lossy().into_owned();
    let bytes = tokio::fs::read(file).await.context("cannot be read")?;
    let mut form = Form::new().text("fio", args.fio.clone()).part("file", Part::bytes(bytes).file_name(name));
    for (field, value) in [("callback_url", &args.callback_url), ("external_request_id", &args.external_request_id)] {
        if let Some(value) = value {
            form = form.text(field, value.clone());
        }
    }
    answer(api.post("/v1/runs").multipart(form)).await
}
