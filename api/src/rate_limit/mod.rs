//! The rate of submissions, the same for a client whichever api process answers. A window of the limit is a row in
//! `rate_windows`, counted by the database's clock. Each process takes permits from it in chunks, which become
//! smaller as the window empties, and gives back within a second what it does not use. So the limit is never
//! exceeded, and a submission waits for no row that other submissions wait for.
//!
//! A process that dies, or a caller who hangs up while permits are being taken, takes one chunk along until the
//! window ends.

mod headers;
mod purse;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::settings::RateLimit;
use shared::store::rate_windows::{self, Unused};
use shared::store::{Pool, StoreError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::problem::{Code, Problem};
use purse::{Need, Purse};

pub use purse::Standing;

/// How often unused permits are given back.
const PERIOD: Duration = Duration::from_secs(1);

/// Permits of every client that submits here.
#[derive(Debug, Default)]
pub struct RateLimiter {
    /// By client: as many as there are clients, whom operators make, and only those who submitted of late.
    clients: Mutex<HashMap<Uuid, Arc<Client>>>,
}

/// Submissions of a client decide one after the other; only one of them asks the database.
#[derive(Debug)]
struct Client {
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug)]
struct State {
    purse: Purse,
    /// When the database could not be asked.
    failed_at: Option<Instant>,
}

impl RateLimiter {
    /// Decides whether a client may submit now.
    ///
    /// # Errors
    /// 503: the database is away and nothing is in hand.
    pub async fn submission(&self, pool: &Pool, client_id: Uuid, limit: RateLimit) -> Result<Standing, Problem> {
        let came_at = Instant::now();
        let client = self.client(client_id, limit);
        let mut state = client.state.lock().await;
        match state.purse.decide(limit, Instant::now()) {
            Need::Nothing(standing) => Ok(standing),
            // Whoever waited for a question that failed does not wait for another one of its own.
            Need::Permits(_) if state.failed_at.is_some_and(|at| at >= came_at) => {
                Err(Problem::new(Code::DatabaseUnavailable, "The database is unavailable; nothing was changed."))
            }
            Need::Permits(ask) => {
                let asked_at = Instant::now();
                let taken = rate_windows::take(pool, client_id, limit, ask).await;
                state.failed_at = taken.is_err().then(Instant::now);
                Ok(state.purse.put(taken?, asked_at))
            }
        }
    }

    fn client(&self, client_id: Uuid, limit: RateLimit) -> Arc<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Client { state: tokio::sync::Mutex::new(State { purse: Purse::new(limit), failed_at: None }) };
        Arc::clone(clients.entry(client_id).or_insert_with(|| Arc::new(new())))
    }

    /// Gives back once what was not used since the last time, in one statement for all clients.
    ///
    /// # Errors
    /// The database is away; the permits are lost until their windows end.
    pub async fn give_back(&self, pool: &Pool) -> Result<(), StoreError> {
        let unused = self.unused(Instant::now());
        if unused.is_empty() { Ok(()) } else { rate_windows::give_back(pool, &unused).await }
    }

    /// Takes what is not used out of all purses, and forgets clients who do not submit any more.
    fn unused(&self, now: Instant) -> Vec<Unused> {
        let mut unused = Vec::new();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|client_id, client| {
            // Somebody is deciding just now: at the next look, then.
            let Ok(mut state) = client.state.try_lock() else { return true };
            unused.extend(state.purse.unused(*client_id, now));
            !state.purse.is_idle(now) || Arc::strong_count(client) > 1
        });
        unused
    }

    /// Gives back once a second until `stop`, and then a last time.
    pub async fn keep_giving_back(&self, pool: &Pool, stop: &CancellationToken) {
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none();
            if let Err(error) = self.give_back(pool).await {
                tracing::warn!(%error, "permits that were not used cannot be given back");
            }
            if stopped {
                return;
            }
        }
    }
}
