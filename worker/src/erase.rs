//! An erasure: files are taken out of the document store, and the job stays until the store confirms.

use std::time::Duration;

use shared::queue::Delivered;
use shared::store::jobs::{self, EraseClaim};
use shared::telemetry;
use tracing::Instrument as _;

use crate::app::App;
use crate::artifacts;
use crate::lanes::AsyncWork;
use crate::patience::until_done;

const LEASE: Duration = Duration::from_secs(60);
/// An erasure is never given up: its pause grows to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Erases files.
#[derive(Clone, Copy, Debug)]
pub struct Erase;

impl AsyncWork for Erase {
    async fn work(&self, app: &App, delivered: Delivered) {
        let job_id = delivered.message.job_id;
        let claimed =
            until_done(app, "an erasure cannot be claimed", || jobs::claim_erase(&app.pool, job_id, &app.name, LEASE))
                .await;
        match claimed {
            Some(Ok(Some(claim))) => {
                app.metrics.claim("erase", true);
                app.relay.claimed();
                let span = tracing::error_span!("erase", run_id = %claim.run_id, otel.kind = "consumer");
                telemetry::start(&span, delivered.trace);
                work(app, &claim).instrument(span).await;
            }
            Some(Ok(None)) => app.metrics.claim("erase", false),
            Some(Err(error)) => tracing::error!(%error, "an erasure cannot be claimed"),
            None => return delivered.settle.put_back().await,
        }
        delivered.settle.done().await;
    }
}

async fn work(app: &App, claim: &EraseClaim) {
    match erase(app, claim).await {
        Ok(()) => {
            until_done(app, "an erasure cannot be settled", || jobs::settle(&app.pool, claim.lease)).await;
            tracing::info!("files were erased");
        }
        Err(error) => {
            tracing::warn!(%error, "files cannot be erased yet");
            let later = || jobs::retry(&app.pool, claim.lease, pause(claim.attempt), "the store is away");
            until_done(app, "an erasure cannot be put off", later).await;
        }
    }
}

async fn erase(app: &App, claim: &EraseClaim) -> Result<(), String> {
    for key in &claim.keys {
        app.documents.delete(key).await.map_err(|error| error.to_string())?;
    }
    artifacts::erase(app, claim.run_id).await
}

fn pause(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt).unwrap_or(0).min(16);
    (Duration::from_secs(1) * 2u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erasure_is_tried_for_ever_with_growing_pauses() {
        assert_eq!(pause(1), Duration::from_secs(2));
        assert_eq!(pause(5), Duration::from_secs(32));
        assert_eq!(pause(1000), LONGEST_PAUSE);
    }
}
