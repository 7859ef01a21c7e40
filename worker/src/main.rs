//! `rb-ocr-worker`: takes jobs, runs the pipeline, delivers callbacks, keeps house.

use std::process::ExitCode;

use anyhow::Context as _;
use shared::settings::Settings;
use shared::telemetry::{self, LogTo, Metrics};
use tokio_util::sync::CancellationToken;

/// What the process is called.
const NAME: &str = "rb-ocr-worker";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            #[expect(clippy::print_stderr, reason = "the log may not be set up yet")]
            {
                eprintln!("{NAME}: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let settings = Settings::from_env()?;
    let mut telemetry = telemetry::init(NAME, &settings, LogTo::Stdout)?;
    let metrics = Metrics::default();
    telemetry.send(&metrics)?;
    shared::tls::install();
    if let Some(date) = settings.judge_as_of {
        tracing::warn!(%date, "JUDGE_AS_OF is set: documents are judged as of another day");
    }
    let stop = CancellationToken::new();
    tokio::spawn(cancel_on_signal(stop.clone()));
    worker::service::run(settings, metrics, stop).await.context("the worker cannot go on")
}

async fn cancel_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    stop.cancel();
}
