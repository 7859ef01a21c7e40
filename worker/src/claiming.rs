//! Claiming what was delivered: in the delivery's trace, again while the database is away, and counted.

use shared::queue::Delivered;
use shared::store::StoreError;
use shared::store::jobs::Kind;
use shared::telemetry::{self, TraceContext};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::app::App;
use crate::patience::until_done;

/// Claims a delivered job. None: the worker's time to stop has come first.
pub async fn claim<T, F>(
    app: &App,
    kind: Kind,
    delivered: &Delivered,
    complaint: &str,
    statement: impl Fn() -> F,
) -> Option<Result<Option<T>, StoreError>>
where
    F: Future<Output = Result<Option<T>, StoreError>>,
{
    let span = tracing::error_span!("claim", run_id = %delivered.message.run_id, won = Empty);
    telemetry::start(&span, delivered.trace);
    let claimed = until_done(app, complaint, statement).instrument(span.clone()).await;
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

/// The trace that the work on a delivery goes on with. A message that somebody put there by hand has none; its run,
/// whose `traceparent` this is, has.
pub fn trace(delivered: &Delivered, of_run: Option<&str>) -> Option<TraceContext> {
    delivered.trace.or_else(|| of_run?.parse().ok())
}
