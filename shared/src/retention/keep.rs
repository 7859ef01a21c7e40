//! All of it, in order.

use crate::archive::ArchiveError;
use crate::domain::terms::Cutoffs;
use crate::store::{self, retention};

use super::{Keeper, plan};

/// Small things that go at once.
const BATCH: i64 = 1000;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs whose documents were given to be erased.
    pub documents: u64,
    /// Runs that were written to the archive.
    pub archived: u64,
    /// Runs that left the database one by one.
    pub deleted: u64,
    /// Months that were dropped.
    pub dropped: u64,
    /// Months of audit events that were archived and dropped.
    pub audit_months: u64,
    /// Idempotency keys that were removed.
    pub idempotency_keys: u64,
    /// Erasures that are in the document store now and were not.
    pub erasures_copied: u64,
    /// Runs that were taken out of the archives.
    pub cleared: u64,
    /// What could not be done, and why; the rest was.
    pub failures: Vec<String>,
    /// Some of it may be possible soon.
    pub again: bool,
}

impl Keeper {
    /// Does what is due. What fails for one month is no reason to leave the others: the report names it.
    ///
    /// # Errors
    /// The database is away, the process is to end, or somebody else has the duty.
    pub async fn keep(&self) -> Result<Report, ArchiveError> {
        let mut report = Report::default();
        self.go_on().await?;
        let cutoffs = self.terms.at(store::now(&self.pool).await?);
        note(self.settle_detached(&mut report).await, "tables that were taken out of the record", &mut report)?;
        self.small_things(cutoffs, &mut report).await?;
        note(self.copy_erasures(&mut report).await, "the copy of the erasures", &mut report)?;
        for month in plan::months(&self.pool, cutoffs).await? {
            let kept = self.keep_month(month, cutoffs, &mut report).await;
            note(kept, &format!("the month {}", month.format("%Y-%m")), &mut report)?;
        }
        for month in plan::audit_months(&self.pool, cutoffs).await? {
            let kept = self.keep_audit_month(month, &mut report).await;
            note(kept, &format!("the audit of {}", month.format("%Y-%m")), &mut report)?;
        }
        note(self.clear_archives(&mut report).await, "erasures in the archives", &mut report)?;
        Ok(report)
    }

    async fn small_things(&self, cutoffs: Cutoffs, report: &mut Report) -> Result<(), ArchiveError> {
        loop {
            self.go_on().await?;
            let removed = retention::remove_idempotency_keys(&self.pool, BATCH).await?;
            report.idempotency_keys += removed;
            self.did("idempotency_key", None, removed);
            if removed < BATCH.unsigned_abs() {
                break;
            }
        }
        while retention::remove_archived_runs(&self.pool, cutoffs.audit, BATCH).await? == BATCH.unsigned_abs() {
            self.go_on().await?;
        }
        Ok(())
    }
}

/// Whether to go on: what is wrong with one part is noted, what is wrong with all ends it.
fn note(done: Result<(), ArchiveError>, of: &str, report: &mut Report) -> Result<(), ArchiveError> {
    match done {
        Ok(()) => Ok(()),
        Err(error @ (ArchiveError::Stopped | ArchiveError::TakenOver)) => Err(error),
        Err(error) => {
            report.again |= error.is_transient();
            report.failures.push(format!("{of}: {error}"));
            Ok(())
        }
    }
}
