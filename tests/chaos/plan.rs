//! What goes wrong and when: a plan that follows from a seed and from nothing else.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};

/// Which service a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Far {
    /// PostgreSQL.
    Database,
    /// RabbitMQ.
    Broker,
}

/// How a link is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bad {
    /// Nothing gets through and connections end.
    Cut,
    /// Everything takes 400 ms longer.
    Slow,
    /// Connections stay and nothing gets through.
    HalfOpen,
    /// Connections end with RST; new ones are good.
    Reset,
}

/// How an outside service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outside {
    /// OCR takes documents and never answers.
    OcrHangs,
    /// OCR answers 503.
    OcrFails,
    /// The model answers 503 and asks for a pause.
    LlmFails,
    /// The model claims what no document says.
    LlmLies,
    /// Callers' endpoints answer 500.
    EndpointDown,
}

/// One thing that goes wrong. A worker is told by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// kill -9, and a new one is started when the fault ends.
    KillApi,
    /// The same for a worker.
    KillWorker(usize),
    /// SIGTERM in the middle of the work, and a new one.
    RestartWorker(usize),
    /// SIGSTOP for longer than a lease, then SIGCONT.
    StallWorker(usize),
    /// The broker is killed and started again, all its nodes.
    RestartBroker,
    /// One node of the broker is killed, and started again when the fault ends.
    BrokerNode(usize),
    /// The database ends as a crash ends it (immediate) and is started again.
    RestartDatabase,
    /// All nodes of the broker but this one are killed, so that it may decide nothing, and started when the fault ends.
    BrokerMinority(usize),
    /// The link of one process (0 is the api, else a worker) to a service.
    Link(usize, Far, Bad),
    /// Somebody purges the queues by hand.
    PurgeQueues,
    /// The document store's disk is full.
    DiskFull,
    /// A worker's wall clock jumps ahead by an hour, and back.
    ClockStep(usize),
    /// An outside service.
    Outside(Outside),
}

impl Fault {
    /// What figures are collected under.
    pub fn kind(self) -> &'static str {
        match self {
            Self::KillApi => "kill -9 of the api",
            Self::KillWorker(_) => "kill -9 of a worker",
            Self::RestartWorker(_) => "SIGTERM of a worker",
            Self::StallWorker(_) => "a worker stopped past its lease",
            Self::RestartBroker => "crash of the broker",
            Self::BrokerNode(_) => "kill -9 of a node of the broker",
            Self::BrokerMinority(_) => "kill -9 of all nodes but one",
            Self::RestartDatabase => "crash of the database",
            Self::Link(_, Far::Database, _) => "a link to the database",
            Self::Link(_, Far::Broker, _) => "a link to the broker",
            Self::PurgeQueues => "queues purged by hand",
            Self::DiskFull => "the store's disk full",
            Self::ClockStep(_) => "a worker's clock an hour ahead",
            Self::Outside(Outside::OcrHangs) => "OCR hangs",
            Self::Outside(Outside::OcrFails) => "OCR fails",
            Self::Outside(Outside::LlmFails) => "the model fails",
            Self::Outside(Outside::LlmLies) => "the model lies",
            Self::Outside(Outside::EndpointDown) => "callers' endpoints down",
        }
    }

    /// How long it lasts, between these.
    fn lasts(self) -> (f64, f64) {
        match self {
            Self::StallWorker(_) => (8.0, 11.0),
            Self::RestartBroker | Self::RestartDatabase => (0.5, 3.0),
            Self::PurgeQueues | Self::RestartWorker(_) | Self::Link(_, _, Bad::Reset) => (0.0, 0.5),
            Self::Outside(_) => (4.0, 8.0),
            _ => (2.0, 6.0),
        }
    }
}

/// A fault with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub fault: Fault,
    /// Calm before it.
    pub pause: Duration,
    /// How long.
    pub lasts: Duration,
}

/// Steps without end, every kind of fault once in each round, in an order and with targets that follow from `seed`.
#[derive(Debug)]
pub struct Plan {
    random: StdRng,
    workers: usize,
    nodes: usize,
    left: Vec<Fault>,
}

impl Plan {
    /// For a fleet with so many workers and nodes of the broker, each of which is killed once a round, and once all but
    /// one, unless it is the only one.
    pub fn new(seed: u64, workers: usize, nodes: usize) -> Self {
        Self { random: StdRng::seed_from_u64(seed), workers, nodes, left: Vec::new() }
    }

    fn round(&mut self) -> Vec<Fault> {
        let random = &mut self.random;
        let mut worker = || random.random_range(1..=self.workers);
        let mut faults = vec![
            Fault::KillApi,
            Fault::KillWorker(worker()),
            Fault::KillWorker(worker()),
            Fault::RestartWorker(worker()),
            Fault::StallWorker(worker()),
            Fault::RestartBroker,
            Fault::RestartDatabase,
            Fault::PurgeQueues,
            Fault::DiskFull,
            Fault::ClockStep(worker()),
        ];
        for far in [Far::Database, Far::Broker] {
            let bad = [Bad::Cut, Bad::Slow, Bad::HalfOpen, Bad::Reset]
                .choose_multiple(random, 2)
                .copied()
                .collect::<Vec<_>>();
            faults.extend(bad.into_iter().map(|bad| Fault::Link(random.random_range(0..=self.workers), far, bad)));
        }
        use Outside::{EndpointDown, LlmFails, LlmLies, OcrFails, OcrHangs};
        faults.extend([OcrHangs, OcrFails, LlmFails, LlmLies, EndpointDown].map(Fault::Outside));
        if self.nodes > 1 {
            faults.extend((1..=self.nodes).map(Fault::BrokerNode));
            faults.push(Fault::BrokerMinority(random.random_range(1..=self.nodes)));
        }
        faults.shuffle(random);
        faults
    }
}

impl Iterator for Plan {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.left.is_empty() {
            self.left = self.round();
        }
        let fault = self.left.pop()?;
        let (shortest, longest) = fault.lasts();
        let lasts = Duration::from_secs_f64(self.random.random_range(shortest..=longest));
        let pause = Duration::from_secs_f64(self.random.random_range(0.5..=2.0));
        Some(Step { fault, pause, lasts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_seed_makes_the_same_plan_and_another_makes_another() {
        let steps = |seed| Plan::new(seed, 3, 1).take(60).collect::<Vec<_>>();
        assert_eq!(steps(1), steps(1));
        assert_ne!(steps(1), steps(2));
    }

    #[test]
    fn every_kind_of_fault_comes_in_each_round() {
        let round =
            |skip| Plan::new(7, 3, 1).skip(skip).take(19).map(|step| step.fault.kind()).collect::<BTreeSet<_>>();
        assert_eq!(round(0).len(), 16);
        assert_eq!(round(0), round(19));
    }

    #[test]
    fn each_node_of_a_broker_that_has_several_is_killed_once_in_each_round() {
        let kills = |round: usize| {
            let steps = Plan::new(7, 3, 3).skip(23 * round).take(23).map(|step| step.fault);
            steps.filter(|fault| matches!(fault, Fault::BrokerNode(_))).collect::<BTreeSet<_>>()
        };
        assert_eq!(kills(0).len(), 3);
        assert_eq!(kills(0), kills(1));
    }
}
