//! The steps of one delivery.

use std::time::Duration;

use shared::queue::Delivered;
use shared::store::finish::{Finish, finish, finish_untold};
use shared::store::jobs::{self, Kind, RunClaim};
use shared::telemetry;
use tracing::Instrument as _;

use super::attempt::{self, Came};
use super::ending::{Then, after};
use super::report;
use crate::app::App;
use crate::artifacts;
use crate::claiming::{claim, give_back, trace};
use crate::leases::LeaseGuard;
use crate::patience::until_done;

/// Works on one delivered run.
pub async fn handle(app: &App, delivered: Delivered) {
    let message = delivered.message;
    let claiming = app.run_claims.claim(message.job_id, message.run_id);
    let claimed = claim(app, Kind::Run, &delivered, claiming).await;
    match claimed {
        Some(Ok(Some(claim))) => {
            let span =
                tracing::error_span!("run", run_id = %claim.run_id, attempt = claim.attempt, otel.kind = "consumer");
            telemetry::start(&span, trace(&delivered, claim.trace_context.as_deref()));
            work(app, claim).instrument(span).await;
            delivered.settle.done().await;
        }
        // Finished, erased, not due or somebody else's.
        Some(Ok(None)) => delivered.settle.done().await,
        Some(Err(error)) => {
            tracing::error!(run_id = %message.run_id, %error, "a run cannot be claimed");
            delivered.settle.done().await;
        }
        None => delivered.settle.put_back().await,
    }
}

async fn work(app: &App, claim: RunClaim) {
    let guard = app.leases.hold(claim.lease);
    tracing::info!("a run is worked on");
    match attempt::attempt(app, &claim, &guard).await {
        Came::Lost => tracing::warn!("the lease was lost; nothing is written"),
        Came::GivenUp => give_back(app, Kind::Run, guard.lease(), Duration::ZERO).await,
        Came::Ended(ended) => {
            let attempts = u32::try_from(claim.attempt).unwrap_or(u32::MAX);
            match after(*ended, attempts, &app.settings.timing, &app.means, rand::random()) {
                Then::Finish(finish) => end(app, &claim, &guard, &finish).await,
                Then::Retry { pause, reason } => retry(app, &guard, pause, &reason).await,
                Then::GiveBack { pause } => give_back(app, Kind::Run, guard.lease(), pause).await,
            }
        }
    }
}

async fn end(app: &App, claim: &RunClaim, guard: &LeaseGuard, ended: &Finish) {
    let written = until_done(app, "a run cannot be finished", async || {
        if claim.owes_callback {
            finish(&app.pool, guard.lease(), claim.run_id, ended).await
        } else {
            finish_untold(&app.pool, guard.lease(), claim.run_id, ended).await
        }
    })
    .await;
    match written {
        Some(Ok(Some(finished))) => {
            report::finished(app, claim.run_id, ended, &finished);
            artifacts::keep(app, claim.run_id).await;
        }
        Some(Ok(None)) => {
            tracing::warn!("the lease was lost; nothing is written");
            super::pictures::discard(&app.documents, &ended.pages).await;
        }
        // The lease runs out, and another attempt may fare better.
        Some(Err(error)) => tracing::error!(%error, "a run cannot be finished"),
        None => tracing::warn!("a run could not be finished before the shutdown"),
    }
}

async fn retry(app: &App, guard: &LeaseGuard, pause: Duration, reason: &str) {
    let written =
        until_done(app, "a run cannot be put off", || jobs::retry(&app.pool, guard.lease(), pause, reason)).await;
    if let Some(Ok(true)) = written {
        tracing::warn!(reason, pause_seconds = pause.as_secs_f64(), "a run is tried again later");
        app.relay.due_in(pause);
    }
}
