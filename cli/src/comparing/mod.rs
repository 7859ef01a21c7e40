//! Old verdicts held against ours, folder by folder.

mod counts;
mod matching;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use serde::Serialize;
use shared::domain::Status;
use shared::legacy::{Side, differences};
use shared::store::Pool;
use shared::store::runs::{self, RunRecord};
use uuid::Uuid;

use crate::importing::inside::Root;
use crate::importing::walk::{self, Candidate};
use crate::importing::{Read, read_all};
use crate::output::show;

pub use counts::Counts;
use matching::{MatchedBy, Wanted};

/// Folders that are looked up together.
const AT_ONCE: usize = 200;

/// Folders that are read at once.
const READ_AT_ONCE: usize = 8;

/// What the comparison of a folder came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing differs.
    Same,
    /// Something does.
    Differs,
    /// There is no run of ours for it.
    Unmatched,
    /// Ours has not ended.
    Unfinished,
    /// The folder cannot be read.
    Unreadable,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    path: &'a Path,
    legacy_run_id: Option<&'a str>,
    run_id: Option<Uuid>,
    matched_by: Option<MatchedBy>,
    outcome: Outcome,
    differs: Vec<&'static str>,
    old: Option<&'a Side>,
    new: Option<&'a Side>,
    reason: Option<&'a str>,
}

impl<'a> Line<'a> {
    const fn new(path: &'a Path, outcome: Outcome) -> Self {
        Self {
            path,
            outcome,
            legacy_run_id: None,
            run_id: None,
            matched_by: None,
            differs: Vec::new(),
            old: None,
            new: None,
            reason: None,
        }
    }
}

/// Goes through a tree.
pub struct Comparison<'a> {
    pool: &'a Pool,
    root: Arc<Root>,
    now: DateTime<Utc>,
    json: bool,
    counts: Counts,
}

impl<'a> Comparison<'a> {
    /// Of the tree at a path.
    ///
    /// # Errors
    /// There is none.
    pub fn new(pool: &'a Pool, runs_dir: &Path, now: DateTime<Utc>, json: bool) -> anyhow::Result<Self> {
        let root = Root::open(runs_dir).with_context(|| format!("{} cannot be read", runs_dir.display()))?;
        Ok(Self { pool, root: Arc::new(root), now, json, counts: Counts::default() })
    }

    /// Compares all; what differs is told as it is found.
    ///
    /// # Errors
    /// The database is away.
    pub async fn run(mut self) -> anyhow::Result<Counts> {
        let days = walk::days(&self.root)?;
        self.odd(&days.odd);
        for (path, day) in days.wanted {
            match walk::runs(&path, day) {
                Err(error) => self.unreadable(&path, &format!("cannot be read: {error}")),
                Ok(runs) => {
                    self.odd(&runs.odd);
                    for some in runs.wanted.chunks(AT_ONCE) {
                        self.some(some).await?;
                    }
                }
            }
        }
        Ok(self.counts)
    }

    fn odd(&mut self, odd: &[(std::path::PathBuf, &'static str)]) {
        for (path, why) in odd {
            self.unreadable(path, why);
        }
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        self.tell(&Line { reason: Some(why), ..Line::new(path, Outcome::Unreadable) });
    }

    async fn some(&mut self, candidates: &[Candidate]) -> anyhow::Result<()> {
        let reads = read_all(&self.root, candidates.to_vec(), READ_AT_ONCE, self.now);
        let mut wanted: Vec<Wanted> = Vec::new();
        for (candidate, read) in reads.collect::<Vec<_>>().await {
            match read {
                Ok(Read { run, document }) => wanted.push(Wanted { path: candidate.path, run, document }),
                Err(why) => self.unreadable(&candidate.path, &why),
            }
        }
        let matched = matching::find(self.pool, &self.root, &wanted).await?;
        let ids: Vec<Uuid> = matched.iter().flatten().map(|(run_id, _)| *run_id).collect();
        let records = runs::find_many(self.pool, &ids).await?;
        for (wanted, matched) in wanted.iter().zip(matched) {
            let ours = matched.and_then(|(run_id, by)| Some((records.iter().find(|run| run.run_id == run_id)?, by)));
            self.compare(wanted, ours);
        }
        Ok(())
    }

    fn compare(&mut self, wanted: &Wanted, ours: Option<(&RunRecord, MatchedBy)>) {
        let old = Side::from(&wanted.run);
        let base = Line {
            legacy_run_id: Some(&wanted.run.legacy_run_id),
            old: Some(&old),
            ..Line::new(&wanted.path, Outcome::Unmatched)
        };
        let Some((run, by)) = ours else { return self.tell(&base) };
        let base = Line { run_id: Some(run.run_id), matched_by: Some(by), ..base };
        if run.status == Status::Processing {
            return self.tell(&Line { outcome: Outcome::Unfinished, ..base });
        }
        let new = side(run);
        let differs = differences(&old, &new);
        let outcome = if differs.is_empty() { Outcome::Same } else { Outcome::Differs };
        self.tell(&Line { outcome, differs, new: Some(&new), ..base });
    }

    fn tell(&mut self, line: &Line<'_>) {
        self.counts.count(line.outcome, &line.differs, line.old, line.new);
        if self.json || line.outcome == Outcome::Differs || line.outcome == Outcome::Unreadable {
            show(self.json, line, || match line.reason {
                Some(why) => format!("{}: {why}", line.path.display()),
                None => format!("{}: {} ({})", line.path.display(), line.differs.join(", "), both(line)),
            });
        }
    }
}

/// What each side came to, for a person.
fn both(line: &Line<'_>) -> String {
    let word = |side: Option<&Side>| {
        let Some(side) = side else { return "nothing".to_owned() };
        let verdict = match side.verdict {
            Some(true) => "accepted",
            Some(false) => "refused",
            None => "error",
        };
        let codes: Vec<&str> = side.error_codes.iter().map(|code| code.as_str()).collect();
        [&[verdict][..], &codes[..]].concat().join(" ")
    };
    let run = line.run_id.map(|run_id| format!("; run {run_id}")).unwrap_or_default();
    format!("old: {}; new: {}{run}", word(line.old), word(line.new))
}

fn side(run: &RunRecord) -> Side {
    Side {
        status: run.status,
        verdict: run.verdict,
        checks: run.checks,
        error_codes: run.errors.iter().map(|error| error.code).collect(),
    }
}
