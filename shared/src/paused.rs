//! What is paused, as a process knows it: read again every two seconds, so that a pause is in force everywhere
//! within seconds and no request asks the database for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::switches::{self, Switch};
use crate::store::{Pool, StoreError};
use crate::telemetry::Metrics;

/// How often it is read.
const PERIOD: Duration = Duration::from_secs(2);

/// The switches as they were read last. Cheap to clone; all clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Paused {
    known: Arc<Mutex<Option<Vec<Switch>>>>,
}

impl Paused {
    /// Reads them now.
    ///
    /// # Errors
    /// The database is away; what was read last holds.
    pub async fn read(&self, pool: &Pool, metrics: &Metrics) -> Result<Vec<Switch>, StoreError> {
        let paused: Vec<Switch> = switches::paused(pool).await?.into_iter().map(|pause| pause.switch).collect();
        for switch in Switch::ALL {
            metrics.set_paused(switch.as_str(), paused.contains(&switch));
        }
        *self.known() = Some(paused.clone());
        Ok(paused)
    }

    /// Reads them until `ended`.
    pub async fn watch(self, pool: Pool, metrics: Metrics, ended: CancellationToken) {
        loop {
            if let Err(error) = self.read(&pool, &metrics).await {
                tracing::debug!(%error, "what is paused cannot be read");
            }
            if ended.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
                return;
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Vec<Switch>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this was paused when they were read last; none: nothing was read yet.
    pub fn is_paused(&self, switch: Switch) -> Option<bool> {
        self.known().as_ref().map(|paused| paused.contains(&switch))
    }

    /// The names of what was read last to be paused.
    pub fn names(&self) -> Vec<&'static str> {
        self.known().iter().flatten().map(|switch| switch.as_str()).collect()
    }
}
