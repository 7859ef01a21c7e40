//! Which stage events of a run a caller has been told. Events come from the broker, which may lose or double
//! them, and from looks at the database, which show only where a run stands: together they tell each
//! event once.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::Stage;
use shared::queue::events::StageState;
use uuid::Uuid;

/// The stages that are worked on, in their order.
const WORKED: [Stage; 5] = [Stage::Acquire, Stage::Read, Stage::Classify, Stage::Extract, Stage::Validate];

/// A stage event as callers see it (contract, section 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageEvent {
    /// Which run.
    pub run_id: Uuid,
    /// Which stage.
    pub stage: Stage,
    /// Began or ended.
    pub state: StageState,
    /// Which attempt, from 1.
    pub attempt: i32,
    /// When; of an event that was made good, when it was.
    #[serde(serialize_with = "shared::run_view::milliseconds")]
    pub at: DateTime<Utc>,
}

/// What a caller has been told.
#[derive(Debug)]
pub struct StageLog {
    run_id: Uuid,
    attempt: i32,
    told: Vec<(Stage, StageState)>,
}

impl StageLog {
    /// Nothing yet.
    #[must_use]
    pub fn new(run_id: Uuid) -> Self {
        Self { run_id, attempt: 0, told: Vec::new() }
    }

    /// The broker told of an event: it is answered if it is new.
    pub fn told(&mut self, stage: Stage, state: StageState, attempt: i32, at: DateTime<Utc>) -> Option<StageEvent> {
        if attempt < self.attempt {
            return None;
        }
        if attempt > self.attempt {
            self.attempt = attempt;
            self.told.clear();
        }
        if self.told.contains(&(stage, state)) {
            return None;
        }
        self.told.push((stage, state));
        Some(StageEvent { run_id: self.run_id, stage, state, attempt, at })
    }

    /// The database was read: what must have happened since is answered.
    pub fn stands(&mut self, stage: Stage, attempt: i32, at: DateTime<Utc>) -> Vec<StageEvent> {
        let Some(reached) = WORKED.iter().position(|worked| *worked == stage) else { return Vec::new() };
        let ended =
            WORKED[..reached].iter().flat_map(|stage| [(*stage, StageState::Started), (*stage, StageState::Ended)]);
        let all: Vec<_> = ended.chain([(stage, StageState::Started)]).collect();
        all.into_iter().filter_map(|(stage, state)| self.told(stage, state, attempt, at)).collect()
    }

    /// The run succeeded: every stage has begun and ended.
    pub fn succeeded(&mut self, attempt: i32, at: DateTime<Utc>) -> Vec<StageEvent> {
        let mut events = self.stands(Stage::Validate, attempt, at);
        events.extend(self.told(Stage::Validate, StageState::Ended, attempt, at));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StageState::{Ended, Started};

    fn now() -> DateTime<Utc> {
        "2026-11-22T08:11:00Z".parse().expect("a time")
    }

    fn words(events: &[StageEvent]) -> Vec<(Stage, StageState)> {
        events.iter().map(|event| (event.stage, event.state)).collect()
    }

    #[test]
    fn an_event_that_comes_twice_is_told_once() {
        let mut log = StageLog::new(Uuid::nil());
        assert!(log.told(Stage::Read, Started, 1, now()).is_some());
        assert!(log.told(Stage::Read, Started, 1, now()).is_none());
        assert!(log.told(Stage::Read, Started, 2, now()).is_some(), "a new attempt");
        assert!(log.told(Stage::Read, Ended, 1, now()).is_none(), "an attempt that is over");
    }

    #[test]
    fn what_the_broker_lost_is_made_good_in_order() {
        let mut log = StageLog::new(Uuid::nil());
        log.told(Stage::Acquire, Started, 1, now());
        let made_good = log.stands(Stage::Classify, 1, now());
        let expected =
            [(Stage::Acquire, Ended), (Stage::Read, Started), (Stage::Read, Ended), (Stage::Classify, Started)];
        assert_eq!(words(&made_good), expected);
        assert!(log.stands(Stage::Classify, 1, now()).is_empty());
        assert!(log.stands(Stage::Queued, 1, now()).is_empty());
    }

    #[test]
    fn side_by_side_stages_are_all_told() {
        let mut log = StageLog::new(Uuid::nil());
        log.stands(Stage::Classify, 1, now());
        for (stage, state) in [(Stage::Extract, Started), (Stage::Extract, Ended), (Stage::Classify, Ended)] {
            assert!(log.told(stage, state, 1, now()).is_some());
        }
        assert_eq!(words(&log.succeeded(1, now())), [(Stage::Validate, Started), (Stage::Validate, Ended)]);
    }
}
