//! `rb-ocr-worker`: takes jobs, runs the pipeline, delivers callbacks, keeps house.

use anyhow::Context as _;
use shared::settings::Settings;
use shared::telemetry::{self, LogTo};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run());
    // Dropped, it would wait for threads that still decode an image or read a file, for as long as they take.
    runtime.shutdown_background();
    ended
}

async fn run() -> anyhow::Result<()> {
    let settings = Settings::from_env()?;
    let _telemetry = telemetry::init("rb-ocr-worker", &settings, LogTo::Stdout)?;
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
    worker::service::run(settings, stop, hurry).await.context("the worker cannot go on")
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
