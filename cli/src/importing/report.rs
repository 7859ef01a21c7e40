//! What became of each folder, as it is told: a line each, and how far the import has come.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use uuid::Uuid;

use crate::output::show;

/// What became of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in the record now.
    Imported,
    /// It was before.
    Exists,
    /// Another folder of this tree is the same run's.
    Duplicate,
    /// It was passed over.
    Unreadable,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a Path,
    legacy_run_id: Option<&'a str>,
    run_id: Option<Uuid>,
    outcome: Outcome,
    reason: Option<&'a str>,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// In the record now.
    pub imported: u64,
    /// Before.
    pub exists: u64,
    /// Of a run that another folder is of.
    pub duplicate: u64,
    /// Passed over.
    pub unreadable: u64,
}

impl Counts {
    /// All that were looked at.
    pub const fn all(&self) -> u64 {
        self.imported + self.exists + self.duplicate + self.unreadable
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { imported, exists, duplicate, unreadable } = self;
        write!(f, "{imported} imported, {exists} there already, {duplicate} duplicates, {unreadable} unreadable")
    }
}

/// Tells. Lines go to stdout, how far it has come to stderr.
#[derive(Debug)]
pub struct Report {
    json: bool,
    /// As the caller named the folder, and as it lies there.
    shown: PathBuf,
    root: PathBuf,
    total: u64,
    counts: Counts,
    told_at: Instant,
    every: Duration,
}

impl Report {
    /// Nothing yet of `total` folders.
    pub fn new(json: bool, shown: &Path, root: &Path, total: u64) -> Self {
        let every = Duration::from_secs(if std::io::stderr().is_terminal() { 1 } else { 10 });
        let (shown, root) = (shown.to_owned(), root.to_owned());
        Self { json, shown, root, total, counts: Counts::default(), told_at: Instant::now(), every }
    }

    /// So far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Tells what became of a folder.
    pub fn line(&mut self, path: &Path, run: (Option<&str>, Option<Uuid>), outcome: Outcome, reason: Option<&str>) {
        match outcome {
            Outcome::Imported => self.counts.imported += 1,
            Outcome::Exists => self.counts.exists += 1,
            Outcome::Duplicate => self.counts.duplicate += 1,
            Outcome::Unreadable => self.counts.unreadable += 1,
        }
        let path = path.strip_prefix(&self.root).map_or_else(|_| path.to_owned(), |below| self.shown.join(below));
        // A person is told of what is not as it should be.
        if self.json || matches!(outcome, Outcome::Duplicate | Outcome::Unreadable) {
            let line = Line { path: &path, legacy_run_id: run.0, run_id: run.1, outcome, reason };
            show(self.json, &line, || format!("{}: {}", path.display(), reason.unwrap_or_default()));
        }
        if self.told_at.elapsed() >= self.every {
            self.told_at = Instant::now();
            let _ = writeln!(std::io::stderr(), "{} of {} folders: {}", self.counts.all(), self.total, self.counts);
        }
    }
}
