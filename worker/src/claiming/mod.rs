//! Claiming what was delivered: in the delivery's trace, and counted; and giving a claim back.

mod together;

use std::time::Duration;

use shared::queue::Delivered;
use shared::store::StoreError;
use shared::store::jobs::{self, Kind, Lease};
use shared::telemetry::{self, TraceContext};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::app::App;
use crate::patience::until_done;

pub use together::{RunClaims, Unclaimed, claim_together};

/// Notes a claim of what was delivered, in its trace and in the metrics. None: the worker's time to stop has come first.
pub async fn claim<T>(
    app: &App,
    kind: Kind,
    delivered: &Delivered,
    claiming: impl Future<Output = Option<Result<Option<T>, StoreError>>>,
) -> Option<Result<Option<T>, StoreError>> {
    let span = tracing::error_span!("claim", run_id = %delivered.message.run_id, won = Empty);
    telemetry::start(&span, delivered.trace);
    let claimed = claiming.instrument(span.clone()).await;
    let won = matches!(claimed, Some(Ok(Some(_))));
    span.record("won", won);
    if let Some(Ok(_)) = &claimed {
        app.metrics.claim(kind.as_str(), won);
    }
    if won {
        app.relay.claimed();
    }
    claimed
}

/// Gives a claim back, which costs no attempt. While the database is away it is tried until the worker has to end; the
/// lease runs out meanwhile, and giving back what another has claimed changes nothing.
pub async fn give_back(app: &App, kind: Kind, lease: Lease, pause: Duration) {
    let (kind, leases) = (kind.as_str(), [lease]);
    match until_done(app, "a job cannot be given back", || jobs::give_back(&app.pool, &leases, pause)).await {
        Some(Ok(_)) => {
            tracing::info!(kind, pause_seconds = pause.as_secs_f64(), "a job is given back");
            app.relay.due_in(pause);
        }
        Some(Err(error)) => tracing::error!(kind, %error, "a job cannot be given back; its lease runs out"),
        None => tracing::warn!(kind, "a job could not be given back before the shutdown; its lease runs out"),
    }
}

/// The trace that the work on a delivery goes on with. A message that somebody put there by hand has none; its run,
/// whose `traceparent` this is, has.
pub fn trace(delivered: &Delivered, of_run: Option<&str>) -> Option<TraceContext> {
    delivered.trace.or_else(|| of_run?.parse().ok())
}
