//! What erasures owe beyond the database: their list goes to the document store, and the archives are written anew
//! without the runs that were erased, all of a night's at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use crate::archive::{ArchiveError, TableReader, blocking};
use crate::store::retention::{self, RUN_TABLES};
use crate::store::{self, Pool, StoreError, erasures};
use crate::telemetry::TraceContext;

use super::keep::Report;
use super::rewrite::{LeftOut, Rows};
use super::{Keeper, erasure_list};

/// Erasures that are looked at together.
const BATCH: i64 = 10_000;
/// Days whose list is looked at again, for what came after it was written.
const RECENT_DAYS: u64 = 7;

impl Keeper {
    /// Brings the lists in the document store up to date. A list only ever grows: what it has and the database has not,
    /// since the database was restored, stays in it.
    pub(super) async fn copy_erasures(&self, report: &mut Report) -> Result<(), ArchiveError> {
        let stored = erasure_list::days(&self.documents).await?;
        let today = store::now(&self.pool).await?.date_naive();
        let recent = today.checked_sub_days(Days::new(RECENT_DAYS)).unwrap_or(today);
        for day in erasures::days(&self.pool).await? {
            if day < recent && stored.binary_search(&day).is_ok() {
                continue;
            }
            self.go_on().await?;
            let mut list = erasure_list::read(&self.documents, day).await?;
            let known: HashSet<Uuid> = list.iter().map(|erasure| erasure.run_id).collect();
            let ours = erasures::of_day(&self.pool, day).await?;
            let before = list.len();
            list.extend(ours.into_iter().filter(|erasure| !known.contains(&erasure.run_id)));
            if list.len() > before {
                erasure_list::write(&self.documents, day, &list).await?;
                let copied = (list.len() - before) as u64;
                report.erasures_copied += copied;
                self.did("erasure", None, copied);
            }
        }
        Ok(())
    }

    /// Takes what was erased out of the archives.
    pub(super) async fn clear_archives(&self, report: &mut Report) -> Result<(), ArchiveError> {
        loop {
            self.go_on().await?;
            let erased = erasures::to_clear(&self.pool, BATCH).await?;
            if erased.is_empty() {
                return Ok(());
            }
            let mut months: BTreeMap<NaiveDate, BTreeSet<Uuid>> = BTreeMap::new();
            for run_id in &erased {
                if let Some(month) = retention::month_of_id(*run_id) {
                    months.entry(month).or_default().insert(*run_id);
                }
            }
            for (month, run_ids) in months {
                let cleared = self.clear_month(month, &run_ids).await?;
                report.cleared += cleared;
                self.did("cleared", Some(month), cleared);
            }
            erasures::cleared(&self.pool, &erased).await?;
        }
    }

    async fn clear_month(&self, month: NaiveDate, erased: &BTreeSet<Uuid>) -> Result<u64, ArchiveError> {
        let Some(manifest) = self.archive.manifest(month).await? else { return Ok(0) };
        // Whatever an unfinished writing has left may have them too.
        self.archive.sweep(&manifest).await?;
        let Some(entry) = manifest.tables.get(RUN_TABLES[0]) else { return Ok(0) };
        let local = self.archive.fetch(month, entry).await?;
        let erased: HashSet<Uuid> = erased.iter().copied().collect();
        let found: HashSet<Uuid> = blocking(move || {
            let mut found = HashSet::new();
            for row in TableReader::open(&local, Some(&["run_id"]))? {
                let run_id = row?.first().and_then(|cell| cell.text()?.parse().ok());
                found.extend(run_id.filter(|run_id| erased.contains(run_id)));
            }
            std::fs::remove_file(&local)?;
            Ok(found)
        })
        .await?;
        let count = found.len() as u64;
        if count > 0 {
            self.rewrite(month, &RUN_TABLES, Rows::Of(&[]), LeftOut::Erased(Arc::new(found))).await?;
        }
        Ok(count)
    }
}

/// What came of a list of erasures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Runs that were there again and are erased.
    pub erased: u64,
    /// Erasures that the database did not know any more; their runs were not there.
    pub noted: u64,
    /// Erasures that it knew.
    pub known: u64,
}

/// Erases again what is on this list, in a database that was restored from an earlier state; before callers can read
/// it. May be done again.
///
/// # Errors
/// The database is away; what was done is done.
pub async fn apply_erasures(pool: &Pool, list: &[erasures::Erasure]) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    let trace = TraceContext::make().to_string();
    for erasure in list {
        match erasures::apply(pool, erasure, &trace).await? {
            erasures::Outcome::Erased => applied.erased += 1,
            erasures::Outcome::Noted => applied.noted += 1,
            erasures::Outcome::Known => applied.known += 1,
        }
    }
    Ok(applied)
}
