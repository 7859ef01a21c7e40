//! When a callback that was not delivered is tried again.

use std::time::Duration;

/// A `Retry-After` is respected up to the longest pause of the schedule, and up to this in any case.
const RETRY_AFTER: Duration = Duration::from_secs(3600);

/// How far a pause is spread to both sides.
const JITTER: f64 = 0.1;

/// The pause after this many tries; none when they are used up. `retry_after` lengthens a pause within
/// bounds and never shortens it. `jitter` is random, 0 to 1: it spreads the tries of callbacks that
/// failed together.
pub fn next_pause(attempts: u32, pauses: &[Duration], retry_after: Option<Duration>, jitter: f64) -> Option<Duration> {
    let pause = pauses.get(usize::try_from(attempts).ok()?.checked_sub(1)?)?;
    let pause = pause.mul_f64(1.0 + JITTER * (2.0 * jitter.clamp(0.0, 1.0) - 1.0));
    let longest = pauses.iter().copied().max().unwrap_or_default().max(RETRY_AFTER);
    Some(retry_after.map_or(pause, |asked| pause.max(asked.min(longest))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    const PAUSES: &[Duration] = &[seconds(5), seconds(300), seconds(7200)];

    #[test]
    fn pauses_follow_the_schedule_and_end_with_it() {
        let all: Vec<_> = (1..=4).map(|attempts| next_pause(attempts, PAUSES, None, 0.5)).collect();
        assert_eq!(all, [Some(seconds(5)), Some(seconds(300)), Some(seconds(7200)), None]);
        assert_eq!(next_pause(1, &[], None, 0.5), None);
    }

    #[test]
    fn pauses_are_spread_by_a_tenth() {
        assert_eq!(next_pause(2, PAUSES, None, 0.0), Some(seconds(270)));
        assert_eq!(next_pause(2, PAUSES, None, 1.0), Some(seconds(330)));
    }

    #[test]
    fn retry_after_is_respected_within_bounds() {
        let pause = |asked| next_pause(1, PAUSES, Some(asked), 0.5);
        assert_eq!(pause(seconds(1)), Some(seconds(5)), "it never shortens");
        assert_eq!(pause(seconds(60)), Some(seconds(60)));
        assert_eq!(pause(seconds(1_000_000)), Some(seconds(7200)), "the longest pause of the schedule");
        assert_eq!(next_pause(1, &[seconds(1)], Some(seconds(9999)), 0.5), Some(seconds(3600)));
        assert_eq!(next_pause(4, PAUSES, Some(seconds(60)), 0.5), None, "it adds no try");
    }
}
