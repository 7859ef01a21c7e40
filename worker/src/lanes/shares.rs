//! How a worker's slots are shared between urgent and other runs. A delivery is unsettled until its run has
//! ended, so what the two consumers may have in hand adds up to the slots: no run waits in a busy worker while
//! another is idle. A share is only ever moved where it is wanted, 4 to 1 where both lanes want more.

/// One lane's part of the slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Deliveries that it may have in hand.
    pub share: usize,
    /// Deliveries that it had in hand since the last look, at most.
    pub busy: usize,
}

impl Lane {
    /// It would take more, as far as anybody can tell.
    const fn wants_more(self) -> bool {
        self.busy >= self.share
    }
}

/// The shares to begin with: `(high, normal)`.
pub fn first(slots: usize) -> (usize, usize) {
    let high = (slots / 5).max(1);
    (high, slots.saturating_sub(high).max(1))
}

/// The shares that are wanted now. Each lane always keeps one slot, so that no urgent run waits for a bulk of
/// others, nor the other way round.
pub fn wanted(slots: usize, high: Lane, normal: Lane) -> (usize, usize) {
    let of_high = |share: usize| {
        let share = share.clamp(1, slots.saturating_sub(1).max(1));
        (share, slots.saturating_sub(share).max(1))
    };
    match (high.wants_more(), normal.wants_more()) {
        (true, true) => of_high(slots * 4 / 5),
        (true, false) => of_high(slots.saturating_sub(normal.busy.max(1))),
        (false, true) => of_high(high.busy.max(1)),
        (false, false) => (high.share, normal.share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(share: usize, busy: usize) -> Lane {
        Lane { share, busy }
    }

    #[test]
    fn shares_never_add_up_to_more_than_the_slots() {
        for slots in 2..40 {
            let (high, normal) = first(slots);
            assert_eq!(high + normal, slots);
            for busy_high in 0..=slots {
                for busy_normal in 0..=slots - busy_high {
                    let (h, n) = wanted(slots, lane(high, busy_high), lane(normal, busy_normal));
                    assert_eq!(h + n, slots, "{slots} slots, {busy_high} and {busy_normal} busy");
                    assert!(h >= 1 && n >= 1);
                }
            }
        }
    }

    #[test]
    fn where_both_want_more_urgent_runs_get_four_of_five() {
        assert_eq!(wanted(20, lane(4, 4), lane(16, 16)), (16, 4));
        assert_eq!(wanted(20, lane(16, 16), lane(4, 4)), (16, 4));
    }

    #[test]
    fn a_lane_gets_what_the_other_does_not_use() {
        assert_eq!(wanted(20, lane(4, 1), lane(16, 16)), (1, 19));
        assert_eq!(wanted(20, lane(4, 4), lane(16, 3)), (17, 3));
        assert_eq!(wanted(20, lane(4, 0), lane(16, 16)), (1, 19));
    }

    #[test]
    fn without_want_nothing_moves() {
        assert_eq!(wanted(20, lane(7, 2), lane(13, 5)), (7, 13));
    }
}
