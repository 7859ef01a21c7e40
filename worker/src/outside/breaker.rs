//! A circuit breaker: whether a service is called at all. Pure; clock and jitter are passed in.
//!
//! Closed, it lets everybody in. It opens when calls fail in a row, or a large share of many. Open, it lets
//! nobody in for a while that grows each time; then, half open, it lets one probe in, whose success closes it.
//!
//! A document that a service fails for, again and again, is not a service that is down. So failures in a row open
//! it only if they are those of several askers, unless the failure cannot be about what was asked (no
//! connection, 429).

use std::time::{Duration, Instant};

use shared::telemetry::Breaker as State;
use uuid::Uuid;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// So many failures without a success between open it …
    pub in_a_row: u32,
    /// … if so many askers had them.
    pub askers: u32,
    /// Of the calls in this time …
    pub window: Duration,
    /// … if there were so many …
    pub least_calls: u32,
    /// … this share of failures opens it too.
    pub share: f64,
    /// How long it is open first; it doubles with each probe that fails.
    pub first_open: Duration,
    /// And no longer than this, before jitter.
    pub longest_open: Duration,
    /// A `Retry-After` lengthens it to this at most.
    pub longest_asked: Duration,
}

/// What holds for every service. The longest time open is short enough that work goes on within a minute once
/// a service is back, and one probe in half a minute hurts nobody.
pub const RULES: Rules = Rules {
    in_a_row: 5,
    askers: 3,
    window: Duration::from_secs(30),
    least_calls: 20,
    share: 0.5,
    first_open: Duration::from_secs(5),
    longest_open: Duration::from_secs(30),
    longest_asked: Duration::from_secs(120),
};

/// Times are lengthened by up to this share, so that workers do not all probe at once.
const JITTER: f64 = 0.25;

/// What a call failed of, as far as the service is to blame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// What was asked for cannot be the cause: no connection, 429.
    pub surely_the_service: bool,
    /// What the answer asked for.
    pub retry_after: Option<Duration>,
}

/// What somebody who would call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Call, and say what came of it.
    Go(Pass),
    /// The probe is a call of the same asker: wait for what comes of it.
    AfterTheProbe,
    /// Do not call; ask again after so long.
    No(Duration),
}

/// Who was let in, and when: what comes of a call that was let in before the last change no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    epoch: u64,
    asker: Option<Uuid>,
}

/// The state machine.
#[derive(Debug)]
pub struct Breaker {
    rules: Rules,
    phase: Phase,
    /// Counts the changes.
    epoch: u64,
    /// How often it has opened since the last success.
    openings: u32,
    failing_since: Option<Instant>,
    in_a_row: u32,
    /// Askers with failures in this row, as many as are needed.
    askers: Vec<Uuid>,
    /// Failures in this row that need no second asker.
    sure: u32,
    window: Window,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { probe: Option<Pass> },
}

impl Breaker {
    /// A closed one.
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            phase: Phase::Closed,
            epoch: 0,
            openings: 0,
            failing_since: None,
            in_a_row: 0,
            askers: Vec::new(),
            sure: 0,
            window: Window::new(),
        }
    }

    /// Its state at this time.
    pub fn state(&mut self, now: Instant) -> State {
        if let Phase::Open { until } = self.phase
            && until <= now
        {
            self.change(Phase::HalfOpen { probe: None });
        }
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// How long nobody is let in; none where somebody may be.
    pub fn closed_for(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until.saturating_duration_since(now)),
            Phase::HalfOpen { probe: Some(_) } => Some(self.rules.first_open),
            Phase::Closed | Phase::HalfOpen { probe: None } => None,
        }
    }

    /// How long nothing has succeeded; none where nothing has failed since.
    pub fn failing_for(&self, now: Instant) -> Option<Duration> {
        self.failing_since.map(|since| now.saturating_duration_since(since))
    }

    /// May `asker` (a run, an event) call? Whoever is let in must say what came of it.
    pub fn enter(&mut self, asker: Option<Uuid>, now: Instant) -> Entry {
        let pass = match self.state(now) {
            State::Closed => return Entry::Go(Pass { epoch: self.epoch, asker }),
            _ => Pass { epoch: self.epoch, asker },
        };
        match &mut self.phase {
            Phase::HalfOpen { probe: Some(probe) } if asker.is_some() && probe.asker == asker => Entry::AfterTheProbe,
            Phase::HalfOpen { probe: probe @ None } => {
                *probe = Some(pass);
                Entry::Go(pass)
            }
            _ => Entry::No(self.closed_for(now).unwrap_or_default()),
        }
    }

    /// The service answered: anything that is not its failure.
    pub fn worked(&mut self, pass: Pass, now: Instant) {
        if pass.epoch != self.epoch {
            return;
        }
        (self.in_a_row, self.sure, self.openings, self.failing_since) = (0, 0, 0, None);
        self.askers.clear();
        match self.phase {
            Phase::Closed => self.window.add(now, self.rules.window, false),
            Phase::Open { .. } | Phase::HalfOpen { .. } => {
                self.window = Window::new();
                self.change(Phase::Closed);
            }
        }
    }

    /// The service failed. `jitter` is random, 0 to 1.
    pub fn failed(&mut self, pass: Pass, trouble: Trouble, now: Instant, jitter: f64) {
        if pass.epoch != self.epoch {
            return;
        }
        self.failing_since.get_or_insert(now);
        self.in_a_row = self.in_a_row.saturating_add(1);
        match pass.asker {
            Some(asker) if !trouble.surely_the_service => {
                if self.askers.len() < self.rules.askers as usize && !self.askers.contains(&asker) {
                    self.askers.push(asker);
                }
            }
            _ => self.sure = self.sure.saturating_add(1),
        }
        self.window.add(now, self.rules.window, true);
        let askers = u32::try_from(self.askers.len()).unwrap_or(u32::MAX).saturating_add(self.sure);
        let row = self.in_a_row >= self.rules.in_a_row && askers >= self.rules.askers;
        if row || matches!(self.phase, Phase::HalfOpen { .. }) || self.window.is_bad(now, &self.rules) {
            self.open(trouble.retry_after, now, jitter);
        }
    }

    /// Nothing came of it: the call was given up before its end.
    pub fn given_up(&mut self, pass: Pass) {
        if let Phase::HalfOpen { probe } = &mut self.phase
            && *probe == Some(pass)
        {
            *probe = None;
        }
    }

    fn open(&mut self, asked: Option<Duration>, now: Instant, jitter: f64) {
        let doubled = self.rules.first_open.saturating_mul(2u32.saturating_pow(self.openings.min(16)));
        let grown = doubled.min(self.rules.longest_open);
        let open = grown.max(asked.unwrap_or_default().min(self.rules.longest_asked));
        self.openings = self.openings.saturating_add(1);
        self.window = Window::new();
        self.change(Phase::Open { until: now + open.mul_f64(1.0 + JITTER * jitter.clamp(0.0, 1.0)) });
    }

    const fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }
}

/// Calls and failures of the last while, in slices of it.
#[derive(Clone, Debug)]
struct Window {
    began: Option<Instant>,
    slices: [Slice; Window::SLICES as usize],
}

#[derive(Clone, Copy, Debug)]
struct Slice {
    number: u64,
    calls: u32,
    failures: u32,
}

impl Window {
    const SLICES: u64 = 10;

    const fn new() -> Self {
        Self { began: None, slices: [Slice { number: 0, calls: 0, failures: 0 }; Self::SLICES as usize] }
    }

    /// The number of the slice that this time falls into.
    fn number(&self, now: Instant, window: Duration) -> u64 {
        let passed = self.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        (passed.as_secs_f64() / window.as_secs_f64() * Self::SLICES as f64) as u64
    }

    fn add(&mut self, now: Instant, window: Duration, failed: bool) {
        self.began.get_or_insert(now);
        let number = self.number(now, window);
        let slice = &mut self.slices[(number % Self::SLICES) as usize];
        if slice.number != number {
            *slice = Slice { number, calls: 0, failures: 0 };
        }
        slice.calls = slice.calls.saturating_add(1);
        slice.failures = slice.failures.saturating_add(u32::from(failed));
    }

    fn is_bad(&self, now: Instant, rules: &Rules) -> bool {
        let number = self.number(now, rules.window);
        let live = self.slices.iter().filter(|slice| slice.number + Self::SLICES > number);
        let (calls, failures) = live.fold((0u32, 0u32), |(calls, failures), slice| {
            (calls.saturating_add(slice.calls), failures.saturating_add(slice.failures))
        });
        calls >= rules.least_calls && f64::from(failures) >= rules.share * f64::from(calls)
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
