use std::time::{Duration, Instant};

use super::*;

/// A breaker with a clock of its own.
struct Told {
    breaker: Breaker,
    now: Instant,
    asked: u128,
}

const UNSURE: Trouble = Trouble { surely_the_service: false, retry_after: None };
const SURE: Trouble = Trouble { surely_the_service: true, retry_after: None };

impl Told {
    fn new() -> Self {
        Self { breaker: Breaker::new(RULES), now: Instant::now(), asked: 0 }
    }

    fn state(&mut self) -> State {
        self.breaker.state(self.now)
    }

    fn seconds_pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn enter(&mut self, asker: u128) -> Entry {
        self.breaker.enter(Some(Uuid::from_u128(asker)), self.now)
    }

    fn let_in(&mut self, asker: u128) -> Pass {
        match self.enter(asker) {
            Entry::Go(pass) => pass,
            entry => panic!("{asker} is not let in: {entry:?}"),
        }
    }

    fn fails(&mut self, asker: u128, trouble: Trouble) {
        let pass = self.let_in(asker);
        self.breaker.failed(pass, trouble, self.now, 0.0);
    }

    fn works(&mut self, asker: u128) {
        let pass = self.let_in(asker);
        self.breaker.worked(pass, self.now);
    }

    fn another(&mut self) -> u128 {
        self.asked += 1;
        1000 + self.asked
    }

    fn opened() -> Self {
        let mut told = Self::new();
        (1..=5).for_each(|asker| told.fails(asker, UNSURE));
        assert_eq!(told.state(), State::Open);
        told
    }
}

#[test]
fn it_opens_when_calls_of_several_askers_fail_in_a_row() {
    let mut told = Told::new();
    (1..=4).for_each(|asker| told.fails(asker, UNSURE));
    assert_eq!(told.state(), State::Closed);
    told.fails(5, UNSURE);
    assert_eq!(told.state(), State::Open);
    assert!(matches!(told.enter(6), Entry::No(wait) if wait == RULES.first_open));
}

#[test]
fn a_success_between_begins_the_row_anew() {
    let mut told = Told::new();
    for _ in 0..6 {
        (1..=4).for_each(|asker| told.fails(asker, UNSURE));
        told.works(9);
        told.seconds_pass(40);
    }
    assert_eq!(told.state(), State::Closed);
}

#[test]
fn a_document_that_a_service_fails_for_again_and_again_does_not_open_it() {
    let mut told = Told::new();
    for _ in 0..10 {
        [1, 1, 2].into_iter().for_each(|asker| told.fails(asker, UNSURE));
        told.seconds_pass(10);
    }
    assert_eq!(told.state(), State::Closed);
    told.fails(3, UNSURE);
    assert_eq!(told.state(), State::Open, "a third is too many");
}

#[test]
fn what_cannot_be_about_the_document_opens_it_whoever_asked() {
    let mut told = Told::new();
    (0..5).for_each(|_| told.fails(1, SURE));
    assert_eq!(told.state(), State::Open);
}

#[test]
fn a_large_share_of_many_calls_opens_it_although_some_succeed() {
    let mut told = Told::new();
    for _ in 0..9 {
        let (one, two) = (told.another(), told.another());
        told.works(one);
        told.fails(two, UNSURE);
    }
    assert_eq!(told.state(), State::Closed, "18 are not many");
    told.works(1);
    told.fails(2, UNSURE);
    assert_eq!(told.state(), State::Open);
}

#[test]
fn a_small_share_does_not_open_it_and_old_failures_are_forgotten() {
    let mut told = Told::new();
    for _ in 0..100 {
        told.fails(1, UNSURE);
        told.works(2);
        told.works(3);
    }
    assert_eq!(told.state(), State::Closed, "a third is not half");
    let mut told = Told::new();
    for _ in 0..30 {
        told.fails(1, UNSURE);
        told.works(2);
        told.seconds_pass(4);
    }
    assert_eq!(told.state(), State::Closed, "half fail, but never 20 calls in the window");
}

#[test]
fn when_its_time_is_over_it_lets_one_probe_in_whose_success_closes_it() {
    let mut told = Told::opened();
    told.seconds_pass(5);
    assert_eq!(told.state(), State::HalfOpen);
    let probe = told.let_in(7);
    assert!(matches!(told.enter(8), Entry::No(_)), "one probe only");
    assert_eq!(told.enter(7), Entry::AfterTheProbe, "the probe's own second call waits for the first");
    told.breaker.worked(probe, told.now);
    assert_eq!(told.state(), State::Closed);
    told.let_in(8);
    (1..=4).for_each(|asker| told.fails(asker, UNSURE));
    assert_eq!(told.state(), State::Closed, "the row begins anew");
}

#[test]
fn a_probe_that_fails_opens_it_for_longer_up_to_a_bound() {
    let mut told = Told::opened();
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Entry::No(wait) = told.enter(9) else { panic!("it is open") };
        waits.push(wait.as_secs());
        told.now += wait;
        told.fails(9, UNSURE);
    }
    assert_eq!(waits, [5, 10, 20, 30, 30, 30]);
}

#[test]
fn after_a_success_it_opens_for_the_first_time_again() {
    let mut told = Told::opened();
    told.seconds_pass(5);
    told.fails(9, UNSURE);
    told.seconds_pass(10);
    told.works(9);
    (1..=5).for_each(|asker| told.fails(asker, UNSURE));
    assert_eq!(told.breaker.closed_for(told.now), Some(RULES.first_open));
}

#[test]
fn a_probe_that_is_given_up_makes_room_for_another() {
    let mut told = Told::opened();
    told.seconds_pass(5);
    let probe = told.let_in(7);
    told.breaker.given_up(probe);
    told.let_in(8);
}

#[test]
fn what_was_let_in_before_it_opened_no_longer_counts() {
    let mut told = Told::new();
    let (slow, late) = (told.let_in(50), told.let_in(51));
    (1..=5).for_each(|asker| told.fails(asker, UNSURE));
    told.breaker.worked(slow, told.now);
    assert_eq!(told.state(), State::Open, "an old success does not close it");
    told.seconds_pass(5);
    told.works(7);
    told.breaker.failed(late, UNSURE, told.now, 0.0);
    assert_eq!(told.breaker.failing_for(told.now), None, "an old failure begins no row");
}

#[test]
fn retry_after_lengthens_it_within_bounds_and_jitter_spreads_it() {
    let open = |asked: Option<u64>, jitter| {
        let mut told = Told::new();
        let trouble = Trouble { retry_after: asked.map(Duration::from_secs), ..SURE };
        for _ in 0..5 {
            let pass = told.let_in(1);
            told.breaker.failed(pass, trouble, told.now, jitter);
        }
        told.breaker.closed_for(told.now).expect("it is open").as_millis()
    };
    assert_eq!(open(Some(1), 0.0), 5_000, "it never shortens");
    assert_eq!(open(Some(60), 0.0), 60_000);
    assert_eq!(open(Some(1_000_000), 0.0), 120_000);
    assert_eq!([open(None, 0.0), open(None, 0.5), open(None, 1.0)], [5_000, 5_625, 6_250]);
}

#[test]
fn it_knows_for_how_long_nothing_has_succeeded() {
    let mut told = Told::opened();
    told.seconds_pass(60);
    assert_eq!(told.breaker.failing_for(told.now), Some(Duration::from_secs(60)));
    told.works(7);
    assert_eq!(told.breaker.failing_for(told.now), None);
}
