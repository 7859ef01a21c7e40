//! `rb-ocr-worker`: takes jobs, runs the pipeline, delivers callbacks, keeps house.

use std::process::ExitCode;

use anyhow::Context as _;
use shared::settings::Settings;
use shared::telemetry::{self, LogTo, Metrics};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the process is called.
const NAME: &str = "rb-ocr-worker";

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let ended = runtime.block_on(run());
    // Dropped, it would wait for threads that still decode an image or read a file, for as long as they take.
    runtime.shutdown_background();
    ended.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn failed(error: &anyhow::Error) -> ExitCode {
    tracing::error!("{error:#}");
    #[expect(clippy::print_stderr, reason = "the log may not be set up yet")]
    {
        eprintln!("{NAME}: {error:#}");
    }
    ExitCode::FAILURE
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
    for doubt in settings.timing.doubts() {
        tracing::warn!("{doubt}");
    }
    let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(listen(signals, stop.clone(), hurry.clone()));
    worker::service::run(settings, metrics, stop, hurry).await.context("the worker cannot go on")
}

/// The first signal stops the worker in order, the second at once: what runs is given back then.
async fn listen((mut terminate, mut interrupt): (Signal, Signal), stop: CancellationToken, hurry: CancellationToken) {
    for token in [stop, hurry] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    }
}
