//! The hosts that callbacks go to: how many deliveries each has at once, and a breaker before each, so that one
//! host's outage neither delays the others nor holds their slots.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::settings::Callbacks;
use shared::telemetry::{Breaker as State, Metrics};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::NotSent;
use crate::outside::{Breaker, Entry, Pass, RULES, Trouble};

/// How long a delivery waits while its host has all the deliveries it may have and nothing is wrong with it.
const HOST_WAIT: Duration = Duration::from_secs(2);
/// Hosts that are remembered; of more, the one that has not been used for longest is forgotten.
const MOST_HOSTS: usize = 4096;

#[derive(Debug)]
pub(super) struct Hosts {
    known: Mutex<HashMap<String, Host>>,
    /// Deliveries to one host, sent or waiting: the others always find the other half of all slots.
    most_in_hand: usize,
    metrics: Metrics,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    breaker: Breaker,
    in_hand: usize,
    used: Instant,
}

impl Hosts {
    pub(super) fn new(slots: usize, metrics: Metrics) -> Self {
        Self { known: Mutex::default(), most_in_hand: (slots / 2).max(Callbacks::PER_HOST), metrics }
    }

    /// A place among a host's deliveries, for an event of this run.
    pub(super) async fn enter(&self, name: String, run_id: Uuid) -> Result<Place<'_>, NotSent> {
        let (mut place, places) = self.take_in_hand(name)?;
        let permit = tokio::time::timeout(HOST_WAIT, places.acquire_owned()).await;
        place.permit = Some(permit.map_err(|_| NotSent::HostBusy)?.map_err(|_| NotSent::HostBusy)?);
        let now = Instant::now();
        let entered = place.with(|host| (host.breaker.enter(Some(run_id), now), host.breaker.failing_for(now)));
        match entered {
            Some((Entry::Go(pass), _)) => {
                place.pass = Some(pass);
                Ok(place)
            }
            Some((Entry::No(wait), failing_for)) => Err(NotSent::away(wait, failing_for)),
            // Of one event there is one delivery at a time; another event of its run waits as any other.
            Some((Entry::AfterTheProbe, failing_for)) => Err(NotSent::away(RULES.first_open, failing_for)),
            None => Err(NotSent::HostBusy),
        }
    }

    fn take_in_hand(&self, name: String) -> Result<(Place<'_>, Arc<Semaphore>), NotSent> {
        let now = Instant::now();
        let mut known = self.known();
        make_room(&mut known, &name);
        let host = known.entry(name.clone()).or_insert_with(|| Host {
            places: Arc::new(Semaphore::new(Callbacks::PER_HOST)),
            breaker: Breaker::new(RULES),
            in_hand: 0,
            used: now,
        });
        host.used = now;
        host.breaker.state(now);
        if let Some(wait) = host.breaker.closed_for(now) {
            return Err(NotSent::away(wait, host.breaker.failing_for(now)));
        }
        // Nobody queues for a host that has just failed: its places may be taken for long.
        let doubtful = host.breaker.failing_for(now).is_some() && host.places.available_permits() == 0;
        if doubtful || host.in_hand >= self.most_in_hand {
            return Err(NotSent::HostBusy);
        }
        host.in_hand += 1;
        Ok((Place { hosts: self, name, permit: None, pass: None }, Arc::clone(&host.places)))
    }

    /// Hosts that are remembered, and those of them that are left alone.
    pub(super) fn count(&self) -> (usize, usize) {
        let now = Instant::now();
        let mut known = self.known();
        let away = known.values_mut().filter_map(|host| (host.breaker.state(now) != State::Closed).then_some(()));
        (away.count(), known.len())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(known: &mut HashMap<String, Host>, name: &str) {
    if known.len() < MOST_HOSTS || known.contains_key(name) {
        return;
    }
    let idle = known.iter().filter(|(_, host)| host.in_hand == 0);
    if let Some(oldest) = idle.min_by_key(|(_, host)| host.used).map(|(name, _)| name.clone()) {
        known.remove(&oldest);
    }
}

/// A delivery to a host; dropped without a word it was given up.
pub(super) struct Place<'a> {
    hosts: &'a Hosts,
    name: String,
    permit: Option<OwnedSemaphorePermit>,
    pass: Option<Pass>,
}

impl Place<'_> {
    /// What came of it: nothing, or trouble of the host's.
    pub(super) fn told(mut self, trouble: Option<Trouble>) {
        let Some(pass) = self.pass.take() else { return };
        let now = Instant::now();
        let changed = self.with(|host| {
            let was = host.breaker.state(now);
            match trouble {
                None => host.breaker.worked(pass, now),
                Some(trouble) => host.breaker.failed(pass, trouble, now, rand::random()),
            }
            (was, host.breaker.state(now))
        });
        match changed {
            Some((State::Closed, State::Open)) => {
                self.hosts.metrics.breaker_opened("callback");
                tracing::warn!(host = self.name, "a callback host fails and is left alone");
            }
            Some((State::HalfOpen, State::Open)) => self.hosts.metrics.breaker_opened("callback"),
            Some((State::HalfOpen, State::Closed)) => tracing::info!(host = self.name, "a callback host works again"),
            _ => {}
        }
    }

    fn with<T>(&self, with: impl FnOnce(&mut Host) -> T) -> Option<T> {
        self.hosts.known().get_mut(&self.name).map(with)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut known = self.hosts.known();
        self.permit = None;
        let Some(host) = known.get_mut(&self.name) else { return };
        host.in_hand = host.in_hand.saturating_sub(1);
        if let Some(pass) = self.pass {
            host.breaker.given_up(pass);
        }
        // A host with which nothing is wrong need not be remembered.
        let now = Instant::now();
        if host.in_hand == 0 && host.breaker.failing_for(now).is_none() {
            known.remove(&self.name);
        }
    }
}
