//! A service that is called: its breaker, and a bound on the calls in flight.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use shared::telemetry::{Breaker as State, Metrics};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use uuid::Uuid;

use super::breaker::{Breaker, Entry, Pass, RULES};
use super::call::{CallError, call};

tokio::task_local! {
    static ASKER: Uuid;
}

/// Runs `doing` on behalf of a run: the breakers tell failures of one run from those of several.
pub async fn on_behalf_of<T>(run_id: Uuid, doing: impl Future<Output = T>) -> T {
    ASKER.scope(run_id, doing).await
}

/// How long a call may take, and how long its answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// What is left to whoever asks; waiting for a place counts.
    pub left: Duration,
    /// From the request's first byte to the answer's last.
    pub answer: Duration,
    /// Bytes of the answer.
    pub bytes: usize,
}

/// What may be begun of the work that needs a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// Nothing: its breaker is open.
    Shut,
    /// One piece, whose call is the probe.
    One,
    /// As much as there is.
    Open,
}

/// OCR over HTTP, or the model.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    breaker: Mutex<Breaker>,
    state: watch::Sender<State>,
    places: Semaphore,
    metrics: Metrics,
}

impl Service {
    /// A service with this name in metrics, and so many calls in flight at once.
    pub fn new(name: &'static str, at_once: usize, metrics: Metrics) -> Self {
        metrics.set_breaker(name, State::Closed);
        Self {
            name,
            breaker: Mutex::new(Breaker::new(RULES)),
            state: watch::Sender::new(State::Closed),
            places: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
            metrics,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its breaker's state now.
    pub fn state(&self) -> State {
        self.with(|breaker| breaker.state(Instant::now()))
    }

    /// How long it is not called, if it is not: whoever failed by it then need not blame themselves.
    pub fn away_for(&self) -> Option<Duration> {
        self.with(|breaker| breaker.closed_for(Instant::now()))
    }

    /// Calls it, if its breaker lets us, and tells the breaker what came of it.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Away`] where it was not called.
    pub async fn call(&self, request: RequestBuilder, bounds: Bounds) -> Result<Vec<u8>, CallError> {
        self.call_unless(request, bounds, |_| false).await
    }

    /// The same, where some errors are answers: the service did its part, whatever their status.
    ///
    /// # Errors
    /// As [`Service::call`].
    pub async fn call_unless(
        &self,
        request: RequestBuilder,
        bounds: Bounds,
        is_answer: impl FnOnce(&CallError) -> bool,
    ) -> Result<Vec<u8>, CallError> {
        let asked = Instant::now();
        let entered = tokio::time::timeout(bounds.left, self.enter());
        let (_place, ticket) = entered.await.map_err(|_| CallError::NoPlace)??;
        let left = bounds.left.saturating_sub(asked.elapsed());
        let answer = call(self.name, request, bounds.answer.min(left), bounds.bytes).await;
        ticket.told(answer.as_ref().err().filter(|error| !is_answer(error)));
        answer
    }

    async fn enter(&self) -> Result<(SemaphorePermit<'_>, Ticket<'_>), CallError> {
        let asker = ASKER.try_with(|asker| *asker).ok();
        let mut state = self.state.subscribe();
        loop {
            // Before waiting, so that nobody queues before a service that is away.
            if let Some(wait) = self.away_for()
                && self.state() == State::Open
            {
                return Err(CallError::Away(wait));
            }
            let place = tokio::select! {
                biased;
                place = self.places.acquire() => place.map_err(|_| CallError::NoPlace)?,
                _ = state.changed() => continue,
            };
            match self.with(|breaker| breaker.enter(asker, Instant::now())) {
                Entry::Go(pass) => return Ok((place, Ticket { service: self, pass, told: false })),
                Entry::No(wait) => return Err(CallError::Away(wait)),
                Entry::AfterTheProbe => {
                    drop(place);
                    // It changes when the probe ends; one that is given up leaves its place to us.
                    let _ = tokio::time::timeout(PROBE_LOOK, state.changed()).await;
                }
            }
        }
    }

    /// Does something with the breaker and tells of a change.
    fn with<T>(&self, with: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let done = with(&mut breaker);
        let now = Instant::now();
        let state = breaker.state(now);
        if *self.state.borrow() != state {
            let wait = breaker.closed_for(now).unwrap_or_default();
            self.metrics.set_breaker(self.name, state);
            match state {
                State::Open => {
                    self.metrics.breaker_opened(self.name);
                    tracing::warn!(
                        service = self.name,
                        seconds = wait.as_secs_f64(),
                        "a service fails and is left alone"
                    );
                }
                State::HalfOpen => tracing::info!(service = self.name, "a service is probed"),
                State::Closed => tracing::info!(service = self.name, "a service works again"),
            }
            self.state.send_replace(state);
        }
        done
    }

    /// Its breaker's states as they change.
    pub fn changes(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
}

/// How often a second call of the asker whose first is the probe looks whether it was given up.
const PROBE_LOOK: Duration = Duration::from_millis(250);

/// A call that was let in; dropped without a word it was given up.
struct Ticket<'a> {
    service: &'a Service,
    pass: Pass,
    told: bool,
}

impl Ticket<'_> {
    fn told(mut self, error: Option<&CallError>) {
        self.told = true;
        let (pass, now) = (self.pass, Instant::now());
        match error.and_then(CallError::trouble) {
            None => self.service.with(|breaker| breaker.worked(pass, now)),
            Some(trouble) => self.service.with(|breaker| breaker.failed(pass, trouble, now, rand::random())),
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.service.with(|breaker| breaker.given_up(self.pass));
        }
    }
}

/// What work that needs all of these may begin.
pub fn gate<'a>(services: impl IntoIterator<Item = &'a Arc<Service>>) -> Gate {
    let gate = |service: &Arc<Service>| match service.state() {
        State::Closed => Gate::Open,
        State::HalfOpen => Gate::One,
        State::Open => Gate::Shut,
    };
    services.into_iter().map(gate).min().unwrap_or(Gate::Open)
}
