//! The old tree on its way into the record: folder by folder, in batches that are each one transaction. What is there
//! already is passed over, so that an import that was interrupted is gone on with by giving the command again.

mod batch;
pub mod document;
mod folder;
pub mod inside;
mod report;
pub mod walk;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use futures::StreamExt as _;
use shared::documents::Documents;
use shared::store::{Pool, imports};
use uuid::Uuid;

pub use folder::{Read, read_all};
use inside::Root;
use report::Report;
pub use report::{Counts, Outcome};
use walk::Candidate;

/// Folders whose ids are looked up together.
const LOOKED_UP: usize = 500;

/// Runs of a transaction, and bytes of text of it, at most: what is in memory at once.
const BATCH: usize = 250;
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// An import under way.
pub struct Import {
    means: Means,
    /// Folders read at once, and documents copied.
    at_once: usize,
    root: Arc<Root>,
    report: Report,
    /// Old ids that were met in this tree.
    seen: HashMap<String, Uuid>,
    months: HashSet<NaiveDate>,
    uncounted: u64,
}

/// What a process brings to it.
pub struct Means {
    /// The database.
    pub pool: Pool,
    /// The document store.
    pub documents: Documents,
    /// Whose the runs become; none: nothing is written.
    pub client_id: Option<Uuid>,
    /// Who does it, for the audit.
    pub actor: String,
    /// Where a day is a day, for the figures.
    pub time_zone: Tz,
    /// The database's time.
    pub now: DateTime<Utc>,
    /// Set when it shall stop.
    pub stop: Arc<AtomicBool>,
}

/// How an import ended.
pub struct Ended {
    /// What became of the folders.
    pub counts: Counts,
    /// It was told to stop.
    pub stopped: bool,
}

impl Import {
    /// Begins with the folders of `runs_dir`, which are counted first.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn new(means: Means, runs_dir: &Path, json: bool) -> anyhow::Result<Self> {
        let named = || format!("{} cannot be read", runs_dir.display());
        let root = Root::open(runs_dir).with_context(named)?;
        let mut total = 0;
        for (path, _) in walk::days(&root).with_context(named)?.wanted {
            total += std::fs::read_dir(path).map_or(0, |entries| entries.count() as u64);
        }
        let report = Report::new(json, runs_dir, root.path(), total);
        let at_once = std::thread::available_parallelism().map_or(4, |cores| 2 * usize::from(cores)).min(16);
        Ok(Self {
            means,
            at_once,
            root: Arc::new(root),
            report,
            seen: HashMap::new(),
            months: HashSet::new(),
            uncounted: 0,
        })
    }

    /// Goes through all folders, day by day.
    ///
    /// # Errors
    /// The database or the document store is away: what was imported stays.
    pub async fn run(mut self) -> anyhow::Result<Ended> {
        let done = self.all().await;
        let counted = self.count(true).await;
        let so_far = || format!("so far: {}; the same command goes on from there", self.report.counts());
        done.and(counted).with_context(so_far)?;
        Ok(Ended { counts: self.report.counts(), stopped: self.stopped() })
    }

    fn stopped(&self) -> bool {
        self.means.stop.load(Ordering::Relaxed)
    }

    async fn all(&mut self) -> anyhow::Result<()> {
        let days = walk::days(&self.root)?;
        for (path, why) in &days.odd {
            self.report.line(path, (None, None), Outcome::Unreadable, Some(why));
        }
        for (path, day) in days.wanted {
            let runs = match walk::runs(&path, day) {
                Ok(runs) => runs,
                Err(error) => {
                    let why = format!("cannot be read: {error}");
                    self.report.line(&path, (None, None), Outcome::Unreadable, Some(&why));
                    continue;
                }
            };
            for (path, why) in &runs.odd {
                self.report.line(path, (None, None), Outcome::Unreadable, Some(why));
            }
            for some in runs.wanted.chunks(LOOKED_UP) {
                if self.stopped() {
                    return Ok(());
                }
                self.some(some).await?;
            }
        }
        Ok(())
    }

    /// Those that are there by their folder's name are not even read.
    async fn some(&mut self, candidates: &[Candidate]) -> anyhow::Result<()> {
        let names: Vec<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
        let known = imports::known(&self.means.pool, &names).await?;
        let mut unread = Vec::new();
        for candidate in candidates {
            if !self.is_second(&candidate.path, &candidate.name) {
                match known.get(&candidate.name) {
                    Some(run_id) => self.there(&candidate.path, &candidate.name, *run_id, None),
                    None => unread.push(candidate.clone()),
                }
            }
        }
        let mut reads = std::pin::pin!(read_all(&self.root, unread, self.at_once, self.means.now));
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some((candidate, read)) = reads.next().await {
            match read {
                Err(why) => self.unreadable(&candidate, None, &why),
                Ok(read) => {
                    bytes += read.run.pages.iter().map(|page| page.text.len()).sum::<usize>();
                    batch.push((candidate, read));
                }
            }
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                bytes = 0;
                self.settle(std::mem::take(&mut batch)).await?;
            }
        }
        self.settle(batch).await
    }

    /// Whether another folder of this tree was this run's; told where it was.
    fn is_second(&mut self, path: &Path, legacy_run_id: &str) -> bool {
        let Some(run_id) = self.seen.get(legacy_run_id).copied() else { return false };
        let why = Some("another folder is of the same run");
        self.report.line(path, (Some(legacy_run_id), Some(run_id)), Outcome::Duplicate, why);
        true
    }

    fn there(&mut self, path: &Path, legacy_run_id: &str, run_id: Uuid, why: Option<&str>) {
        self.seen.insert(legacy_run_id.to_owned(), run_id);
        self.report.line(path, (Some(legacy_run_id), Some(run_id)), Outcome::Exists, why);
    }

    fn unreadable(&mut self, candidate: &Candidate, legacy_run_id: Option<&str>, why: &str) {
        let named = shared::legacy::is_run_id(&candidate.name).then_some(candidate.name.as_str());
        let named = legacy_run_id.or(named);
        self.report.line(&candidate.path, (named, None), Outcome::Unreadable, Some(why));
    }
}
