//! How often what differs.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::legacy::Side;

use super::Outcome;

/// All figures of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Folders.
    pub folders: u64,
    /// Nothing differs.
    pub same: u64,
    /// Something does.
    pub differs: u64,
    /// Without a run of ours.
    pub unmatched: u64,
    /// Ours has not ended.
    pub unfinished: u64,
    /// Could not be read.
    pub unreadable: u64,
    /// Refused, or in error, then; accepted now.
    pub now_accepted: u64,
    /// Accepted then, and not now.
    pub now_refused: u64,
    /// How often each thing differs.
    pub by_check: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn count(&mut self, outcome: Outcome, differs: &[&'static str], old: Option<&Side>, new: Option<&Side>) {
        self.folders += 1;
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::Differs => self.differs += 1,
            Outcome::Unmatched => self.unmatched += 1,
            Outcome::Unfinished => self.unfinished += 1,
            Outcome::Unreadable => self.unreadable += 1,
        }
        for name in differs {
            *self.by_check.entry(name).or_default() += 1;
        }
        if let (Some(old), Some(new)) = (old, new) {
            let accepted = |side: &Side| side.verdict == Some(true);
            self.now_accepted += u64::from(!accepted(old) && accepted(new));
            self.now_refused += u64::from(accepted(old) && !accepted(new));
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { folders, same, differs, unmatched, unfinished, unreadable, now_accepted, now_refused, by_check } =
            self;
        write!(
            f,
            "{folders} folders: {same} the same, {differs} differ, {unmatched} without a run of ours, {unfinished} not \
             ended, {unreadable} unreadable; {now_accepted} newly accepted, {now_refused} no longer accepted"
        )?;
        for (name, count) in by_check {
            write!(f, "\n{name:<16}{count}")?;
        }
        Ok(())
    }
}
