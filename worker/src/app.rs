//! What every part of the worker shares.

use std::sync::Arc;

use shared::budgets::Budgets;
use shared::clock::DatabaseClock;
use shared::documents::Documents;
use shared::paused::Paused;
use shared::queue::Broker;
use shared::queue::events::EventSender;
use shared::relay::RelayHandle;
use shared::secrets::Sealer;
use shared::settings::Settings;
use shared::store::Pool;
use shared::telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::artifacts::Artifacts;
use crate::callbacks::Sender;
use crate::claiming::RunClaims;
use crate::leases::Leases;
use crate::pipeline::Pipeline;
use crate::runs::Means;
use crate::scratch::Scratch;

/// One for each process, behind an `Arc`.
pub struct App {
    /// What it was told.
    pub settings: Settings,
    /// Random for each start, with the host's name in front: for people.
    pub name: String,
    /// PostgreSQL.
    pub pool: Pool,
    /// RabbitMQ.
    pub broker: Broker,
    /// The document store.
    pub documents: Documents,
    /// Clients whose budget for the model is spent.
    pub budgets: Budgets,
    /// `ARTIFACTS_DIR`; none: runs are not written into files.
    pub artifacts: Option<Artifacts>,
    /// The stages.
    pub pipeline: Pipeline,
    /// Who reads and analyses, for the record.
    pub means: Means,
    /// Delivers callbacks.
    pub sender: Sender,
    /// Opens clients' secrets; none without `SECRETS_KEY`.
    pub sealer: Option<Sealer>,
    /// Leases held.
    pub leases: Leases,
    /// Claims runs.
    pub run_claims: RunClaims,
    /// Wakes this process's relay.
    pub relay: RelayHandle,
    /// Tells api processes of runs.
    pub events: EventSender,
    /// The database's clock.
    pub clock: DatabaseClock,
    /// What operators have paused.
    pub paused: Paused,
    /// What is counted.
    pub metrics: Metrics,
    /// Where runs have their folders.
    pub scratch: Scratch,
    /// No new work from now on.
    pub stop: CancellationToken,
    /// What runs now is given back.
    pub deadline: CancellationToken,
}

/// The app, as tasks hold it.
pub type Shared = Arc<App>;
