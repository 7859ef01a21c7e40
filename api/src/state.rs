//! What every handler needs. Cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use ipnet::IpNet;
use shared::budgets::Budgets;
use shared::clock::DatabaseClock;
use shared::documents::Documents;
use shared::domain::terms::Terms;
use shared::paused::Paused;
use shared::queue::events::RunEvent;
use shared::relay::RelayHandle;
use shared::secrets::ValueHasher;
use shared::settings::{Allowed, RateLimit, Settings};
use shared::store::Pool;
use shared::store::search::Slots;
use shared::telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;
use crate::health::StoreAnswer;
use crate::key_cache::KeyCache;
use crate::live::Hub;
use crate::rate_limit::RateLimiter;
use crate::reads::Reads;

/// The state of the api, shared by all requests.
pub type App = Arc<AppState>;

/// What every handler needs.
pub struct AppState {
    /// Connections to PostgreSQL.
    pub pool: Pool,
    /// Connections for searches in the recognised text: a replica, where there is one.
    pub read_pool: Pool,
    /// How many searches may run at once.
    pub searches: Slots,
    /// Where documents are kept.
    pub documents: Documents,
    /// The database's clock.
    pub clock: DatabaseClock,
    /// Wakes the relay of this process.
    pub relay: RelayHandle,
    /// Wakes the requests that wait for a run.
    pub hub: Arc<Hub>,
    /// Keys that were good a moment ago.
    pub keys: KeyCache,
    /// How often each client may submit.
    pub rate: RateLimiter,
    /// Clients whose budget for the model is spent.
    pub budgets: Budgets,
    /// What keys looked at a moment ago, for the audit.
    pub reads: Reads,
    /// Hides what was searched for; none without `SECRETS_KEY`.
    pub searched: Option<ValueHasher>,
    /// How many runs may wait.
    pub backlog: Arc<Backlog>,
    /// Tells the other processes of a run.
    pub tell: Box<dyn Fn(RunEvent) + Send + Sync>,
    /// What Prometheus reads.
    pub metrics: Metrics,
    /// Whether there is a session with the broker now.
    pub broker_is_up: Box<dyn Fn() -> bool + Send + Sync>,
    /// What the document store answered last.
    pub store_answer: StoreAnswer,
    /// What operators have paused.
    pub paused: Paused,
    /// How often an event stream that has nothing to say says that it lives.
    pub comment_every: Duration,
    /// Rules of intake and reading.
    pub rules: Rules,
    /// Cancelled when the process is asked to end: whoever waits is answered at once.
    pub stopping: CancellationToken,
}

/// The settings that handlers go by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `CALLBACK_ALLOW_HOSTS`.
    pub allow_hosts: Vec<Allowed>,
    /// `RETENTION_…`
    pub terms: Terms,
    /// `TIME_ZONE`.
    pub time_zone: Tz,
    /// `JUDGE_AS_OF`.
    pub judge_as_of: Option<NaiveDate>,
    /// `RUN_MAX_AGE`.
    pub run_max_age: Duration,
    /// `RATE_LIMIT`.
    pub rate_limit: RateLimit,
}

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        Self {
            trusted_proxies: settings.trusted_proxies.clone(),
            allow_hosts: settings.callbacks.allow_hosts.clone(),
            terms: settings.terms(),
            time_zone: settings.time_zone,
            judge_as_of: settings.judge_as_of,
            run_max_age: settings.timing.run_max_age,
            rate_limit: settings.limits.rate_limit,
        }
    }
}
