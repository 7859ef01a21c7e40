//! Trying again what failed inside a stage: growing, jittered pauses and always a time budget.
//!
//! The only module that uses the `backoff` crate (its upstream is quiet, RUSTSEC-2025-0012), so that
//! leaving it means changing this file.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::exponential::ExponentialBackoff;
use backoff::{Clock, SystemClock};

/// How an operation is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The first pause, before jitter.
    pub first_pause: Duration,
    /// No pause grows over this, before jitter.
    pub longest_pause: Duration,
    /// A `Retry-After` above this counts as this.
    pub longest_retry_after: Duration,
    /// All of it: tries and pauses. No pause begins that would not end within it.
    pub budget: Duration,
}

/// Whether another try may help, as an error says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It would end the same.
    Never,
    /// It may help.
    Helps,
    /// It may help, and the other side asked not to be called before (`Retry-After`).
    After(Duration),
}

/// An error that says whether another try may help.
pub trait Retryable {
    /// Whether it may.
    fn again(&self) -> Again;
}

/// What a try is told.
#[derive(Clone, Copy, Debug)]
pub struct Try {
    /// From 1.
    pub number: u32,
    /// What is left of the budget: a call inside must have ended by then.
    pub left: Duration,
}

/// Pauses double and are spread by half to both sides.
const MULTIPLIER: f64 = 2.0;
const JITTER: f64 = 0.5;

/// Runs `operation` until it succeeds, its error says that another try is of no use, or the budget
/// ends.
///
/// # Errors
/// The error of the last try.
pub async fn retry<T, E, F>(policy: Policy, mut operation: impl FnMut(Try) -> F) -> Result<T, E>
where
    E: Retryable,
    F: Future<Output = Result<T, E>>,
{
    let mut pauses = Pauses::new(policy, SystemClock::default());
    let mut number = 1;
    loop {
        match operation(Try { number, left: pauses.left() }).await {
            Ok(value) => return Ok(value),
            Err(error) => match pauses.next(error.again()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            },
        }
        number += 1;
    }
}

/// The pauses of one operation. Pure but for its clock and the jitter.
struct Pauses<C> {
    growing: ExponentialBackoff<C>,
    budget: Duration,
    longest_retry_after: Duration,
}

impl<C: Clock> Pauses<C> {
    fn new(policy: Policy, clock: C) -> Self {
        let start_time = clock.now();
        let growing = ExponentialBackoff {
            current_interval: policy.first_pause,
            initial_interval: policy.first_pause,
            randomization_factor: JITTER,
            multiplier: MULTIPLIER,
            max_interval: policy.longest_pause,
            start_time,
            max_elapsed_time: Some(policy.budget),
            clock,
        };
        Self { growing, budget: policy.budget, longest_retry_after: policy.longest_retry_after }
    }

    fn left(&self) -> Duration {
        self.budget.saturating_sub(self.growing.get_elapsed_time())
    }

    /// The pause before the next try; none if there is to be no next one.
    fn next(&mut self, again: Again) -> Option<Duration> {
        let asked = match again {
            Again::Never => return None,
            Again::Helps => Duration::ZERO,
            Again::After(asked) => asked.min(self.longest_retry_after),
        };
        let pause = self.growing.next_backoff()?.max(asked);
        (pause < self.left()).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Instant;

    const POLICY: Policy = Policy {
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(8),
        longest_retry_after: Duration::from_secs(20),
        budget: Duration::from_secs(60),
    };

    #[derive(Clone)]
    struct StoppedClock(Rc<Cell<Instant>>);

    impl StoppedClock {
        fn new() -> Self {
            Self(Rc::new(Cell::new(Instant::now())))
        }

        fn advance(&self, by: Duration) {
            self.0.set(self.0.get() + by);
        }
    }

    impl backoff::Clock for StoppedClock {
        fn now(&self) -> Instant {
            self.0.get()
        }
    }

    fn pauses() -> (Pauses<StoppedClock>, StoppedClock) {
        let clock = StoppedClock::new();
        (Pauses::new(POLICY, clock.clone()), clock)
    }

    #[test]
    fn pauses_grow_to_a_bound_and_are_jittered() {
        let (mut pauses, _clock) = pauses();
        for middle in [1.0, 2.0, 4.0, 8.0, 8.0, 8.0_f64] {
            let pause = pauses.next(Again::Helps).expect("no time has passed").as_secs_f64();
            assert!((middle * 0.5..=middle * 1.5 + 0.001).contains(&pause), "{pause} around {middle}");
        }
    }

    #[test]
    fn the_budget_ends_the_tries() {
        let (mut pauses, clock) = pauses();
        clock.advance(Duration::from_secs(59));
        assert_eq!(pauses.left(), Duration::from_secs(1));
        clock.advance(Duration::from_millis(900));
        assert_eq!(pauses.next(Again::Helps), None);
        clock.advance(Duration::from_secs(60));
        assert_eq!(pauses.left(), Duration::ZERO);
        assert_eq!(pauses.next(Again::Helps), None);
    }

    #[test]
    fn retry_after_lengthens_a_pause_within_its_bound() {
        let (mut pauses, clock) = pauses();
        assert_eq!(pauses.next(Again::After(Duration::from_secs(10))), Some(Duration::from_secs(10)));
        assert_eq!(pauses.next(Again::After(Duration::from_secs(3600))), Some(Duration::from_secs(20)));
        clock.advance(Duration::from_secs(45));
        assert_eq!(pauses.next(Again::After(Duration::from_secs(20))), None, "it would end after the budget");
    }

    #[test]
    fn retry_after_never_shortens_a_pause() {
        let (mut pauses, _clock) = pauses();
        assert!(pauses.next(Again::After(Duration::ZERO)).expect("time is left") >= Duration::from_millis(500));
    }

    #[derive(Debug, PartialEq)]
    struct Failure(Again);

    impl Retryable for Failure {
        fn again(&self) -> Again {
            self.0
        }
    }

    fn quick() -> Policy {
        Policy { first_pause: Duration::from_micros(10), longest_pause: Duration::from_micros(20), ..POLICY }
    }

    #[tokio::test]
    async fn it_is_tried_until_it_succeeds() {
        let result =
            retry(
                quick(),
                |this| async move { if this.number < 4 { Err(Failure(Again::Helps)) } else { Ok(this.number) } },
            );
        assert_eq!(result.await, Ok(4));
    }

    #[tokio::test]
    async fn what_would_end_the_same_is_not_tried_again() {
        let tries = Cell::new(0);
        let result: Result<(), _> = retry(quick(), |_| {
            tries.set(tries.get() + 1);
            async { Err(Failure(Again::Never)) }
        })
        .await;
        assert_eq!((result, tries.get()), (Err(Failure(Again::Never)), 1));
    }
}
