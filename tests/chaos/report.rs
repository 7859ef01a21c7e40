//! What came of a chaos run, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::checker::Findings;
use super::endpoint::Arrival;
use super::ledger::Promise;
use super::plan::Fault;

/// A fault that was done.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Which.
    pub fault: Fault,
    /// When it was over; of a node of several, when it was killed.
    pub over: Instant,
}

/// Figures and findings.
#[derive(Debug)]
pub struct Report {
    /// The plan's seed.
    pub seed: u64,
    /// Accepted submissions.
    pub accepted: usize,
    /// Answers that were no 202, all tried again.
    pub refused: u64,
    /// What the checker found.
    pub findings: Findings,
    /// By kind of fault: how often, and the seconds until a submission made after it was told of.
    pub recovery: BTreeMap<&'static str, Vec<f64>>,
    /// Queues of the broker that got another leader when their node was killed.
    pub leaders_moved: usize,
    /// Faults that cannot be done on this machine, with the reason.
    pub skipped: BTreeMap<&'static str, &'static str>,
    /// Where the logs of all processes are kept, where a promise was broken.
    pub logs: Option<PathBuf>,
}

/// For each fault, how long after it the first submission that was accepted after it had its callback.
pub fn recovery(faults: &[Done], promises: &[Promise], arrivals: &[Arrival]) -> BTreeMap<&'static str, Vec<f64>> {
    let mut first: BTreeMap<u64, Instant> = BTreeMap::new();
    for arrival in arrivals.iter().filter(|arrival| arrival.accepted) {
        let at = first.entry(arrival.submission).or_insert(arrival.at);
        *at = arrival.at.min(*at);
    }
    let mut all: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for done in faults {
        let after = promises.iter().filter(|promise| promise.accepted_at >= done.over);
        let told = after.filter_map(|promise| first.get(&promise.number)).min();
        let took = told.map(|at| at.saturating_duration_since(done.over));
        all.entry(done.fault.kind()).or_default().extend(took.as_ref().map(Duration::as_secs_f64));
    }
    all
}

impl Report {
    /// Whether every promise was kept.
    pub fn kept(&self) -> bool {
        self.findings.broken.is_empty() && self.accepted > 0
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Findings { broken, judged, failed, withdrawn, again } = &self.findings;
        writeln!(f, "seed {}: {} accepted, {} other answers", self.seed, self.accepted, self.refused)?;
        let failures: usize = failed.values().sum();
        writeln!(f, "{judged} judged, {withdrawn} cancelled or erased, {failures} ended in error {failed:?}")?;
        let share = |part: usize| 100.0 * part as f64 / self.accepted.max(1) as f64;
        writeln!(f, "{again} needed more than one attempt ({:.1}%)", share(*again))?;
        writeln!(f, "\n{:<34}{:>6}{:>22}", "fault", "times", "recovery, s (median, most)")?;
        for (kind, seconds) in &self.recovery {
            let mut sorted = seconds.clone();
            sorted.sort_by(f64::total_cmp);
            let (median, most) = (sorted.get(sorted.len() / 2), sorted.last());
            let figure =
                |seconds: Option<&f64>| seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.1}"));
            writeln!(f, "{kind:<34}{:>6}{:>14}{:>8}", seconds.len(), figure(median), figure(most))?;
        }
        if self.leaders_moved > 0 {
            writeln!(f, "{} queues of killed nodes were led by others", self.leaders_moved)?;
        }
        for (kind, why) in &self.skipped {
            writeln!(f, "not done here: {kind} ({why})")?;
        }
        writeln!(f)?;
        for line in broken.iter().take(40) {
            writeln!(f, "BROKEN {line}")?;
        }
        if let Some(logs) = &self.logs {
            writeln!(f, "the logs of all processes are in {}", logs.display())?;
        }
        write!(f, "{} promises broken", broken.len())
    }
}
