//! What may happen. Numbers choose among what there is at the time: a run, a message, a claim; 0 is the newest.

use proptest::prelude::*;

/// One step of somebody's.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A caller submits, with a callback or without.
    Submit { callback: bool },
    /// A relay marks what is due and publishes it; what becomes of the messages.
    Relay(Fate),
    /// A relay takes back the mark of a publishing that was not confirmed, however late.
    Unmark(usize),
    /// The broker loses a message.
    Lose(usize),
    /// The broker delivers a message to a worker; `again`: it keeps it and delivers it once more later.
    Deliver { message: usize, again: bool },
    /// The holder of a claim, which may be long past, renews it.
    Renew(usize),
    /// … puts its job off.
    Retry { claim: usize, pause: bool },
    /// … gives it back.
    GiveBack(usize),
    /// … ends it: as a run with this end, as a callback or an erasure that is done.
    Finish { claim: usize, end: End },
    /// Upkeep looks for leases that ran out.
    Expire,
    /// Upkeep takes runs that are out of attempts, work or age, and ends them unless it dies in between.
    EndRuns { dies: bool },
    /// Upkeep publishes what is missing from the broker.
    Republish,
    /// Time passes.
    Time(Span),
    /// A caller, or an operator, wants a run tried again.
    NewGeneration { run: usize, operator: bool },
    /// A caller cancels a run.
    Cancel(usize),
    /// A caller wants the newest event again.
    Redeliver(usize),
    /// A caller erases a run.
    Erase(usize),
    /// An operator makes a job due.
    MakeDue(usize),
    /// An operator takes a lease away.
    Release { job: usize, force: bool },
}

/// What becomes of published messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The broker has them.
    Taken,
    /// It has them, but its confirms are lost: they will be unmarked.
    TakenUnconfirmed,
    /// It never had them, and they will be unmarked.
    Refused,
    /// It confirmed them and lost them.
    Lost,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a verdict.
    Verdict,
    /// With an error that a caller may try again.
    Retryable,
    /// With one that only an operator may.
    Fatal,
}

/// How much time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A message is missed.
    Moment,
    /// A lease runs out, a pause is over.
    Lease,
    /// A run gets too old.
    Age,
}

/// Interleavings.
pub fn plans() -> impl Strategy<Value = Vec<Operation>> {
    let part = prop_oneof![
        8 => operation().prop_map(|operation| vec![operation]),
        1 => Just(stall()),
        1 => Just(missed()),
        1 => any::<bool>().prop_map(early),
        1 => late().prop_map(withdrawn),
    ];
    proptest::collection::vec(part, 8..50).prop_map(|parts| parts.concat())
}

/// A worker takes what is due and stalls past its lease: rare by chance as often as a run has attempts.
fn stall() -> Vec<Operation> {
    vec![
        Operation::Relay(Fate::Taken),
        Operation::Deliver { message: 0, again: true },
        Operation::Time(Span::Lease),
        Operation::Expire,
    ]
}

/// A message is missed while a job that was published before it is worked on.
fn missed() -> Vec<Operation> {
    vec![
        Operation::Relay(Fate::Taken),
        Operation::Deliver { message: 0, again: false },
        Operation::Submit { callback: false },
        Operation::Relay(Fate::Lost),
        Operation::Time(Span::Moment),
        Operation::Republish,
    ]
}

/// A message comes once more while its job waits for its next attempt.
fn early(pause: bool) -> Vec<Operation> {
    vec![
        Operation::Relay(Fate::Taken),
        Operation::Deliver { message: 0, again: true },
        Operation::Retry { claim: 0, pause },
        Operation::Deliver { message: 0, again: true },
    ]
}

/// A run is cancelled under its worker, which goes on: also when an operator has it tried again meanwhile.
fn withdrawn((late, again): (Operation, bool)) -> Vec<Operation> {
    vec![
        Operation::Relay(Fate::Taken),
        Operation::Deliver { message: 0, again: true },
        Operation::Cancel(0),
        Operation::NewGeneration { run: 0, operator: again },
        late,
        Operation::Deliver { message: 0, again: false },
    ]
}

/// What the holder of a lost claim may still try, and whether an operator comes in between.
fn late() -> impl Strategy<Value = (Operation, bool)> {
    let late = prop_oneof![
        Just(Operation::Finish { claim: 0, end: End::Verdict }),
        Just(Operation::Renew(0)),
        Just(Operation::GiveBack(0)),
        any::<bool>().prop_map(|pause| Operation::Retry { claim: 0, pause }),
    ];
    (late, any::<bool>())
}

fn operation() -> impl Strategy<Value = Operation> {
    let number = || prop_oneof![2 => Just(0_usize), 1 => 0..64_usize];
    let fate = prop_oneof![
        6 => Just(Fate::Taken), 1 => Just(Fate::TakenUnconfirmed), 1 => Just(Fate::Refused), 1 => Just(Fate::Lost)
    ];
    let end = prop_oneof![Just(End::Verdict), Just(End::Retryable), Just(End::Fatal)];
    let span = prop_oneof![4 => Just(Span::Moment), 5 => Just(Span::Lease), 1 => Just(Span::Age)];
    prop_oneof![
        2 => any::<bool>().prop_map(|callback| Operation::Submit { callback }),
        8 => fate.prop_map(Operation::Relay),
        2 => number().prop_map(Operation::Unmark),
        1 => number().prop_map(Operation::Lose),
        10 => (number(), any::<bool>()).prop_map(|(message, again)| Operation::Deliver { message, again }),
        2 => number().prop_map(Operation::Renew),
        3 => (number(), any::<bool>()).prop_map(|(claim, pause)| Operation::Retry { claim, pause }),
        2 => number().prop_map(Operation::GiveBack),
        6 => (number(), end).prop_map(|(claim, end)| Operation::Finish { claim, end }),
        3 => Just(Operation::Expire),
        3 => any::<bool>().prop_map(|dies| Operation::EndRuns { dies }),
        2 => Just(Operation::Republish),
        6 => span.prop_map(Operation::Time),
        2 => (number(), any::<bool>()).prop_map(|(run, operator)| Operation::NewGeneration { run, operator }),
        2 => number().prop_map(Operation::Cancel),
        2 => number().prop_map(Operation::Redeliver),
        1 => number().prop_map(Operation::Erase),
        1 => number().prop_map(Operation::MakeDue),
        2 => (number(), any::<bool>()).prop_map(|(job, force)| Operation::Release { job, force }),
    ]
}
