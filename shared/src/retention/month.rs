//! A month of runs: documents past their term go first, then runs past theirs, by way of the archive; when nothing
//! stays, the month itself.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::archive::{ArchiveError, Manifest};
use crate::domain::terms::Cutoffs;
use crate::store::retention::{self, RUN_TABLES};

use super::keep::Report;
use super::rewrite::{LeftOut, Rows};
use super::{Keeper, plan};

/// Runs that are looked at together.
const WINDOW: i64 = 2000;
/// Documents that are given to be erased in one statement.
const DOCUMENTS: i64 = 200;
/// Runs that are deleted in one transaction.
const DELETED: usize = 200;
/// Runs that one writing of an archive takes up: their ids are in memory meanwhile.
const WRITTEN: usize = 300_000;

impl Keeper {
    pub(super) async fn keep_month(
        &self,
        month: NaiveDate,
        cutoffs: Cutoffs,
        report: &mut Report,
    ) -> Result<(), ArchiveError> {
        self.give_documents(month, cutoffs, report).await?;
        loop {
            let due = self.due(month, cutoffs).await?;
            let counts = retention::month_due(&self.pool, month, cutoffs).await?;
            // With nothing in it but what is due, and no way for more to come.
            let closes = plan::is_over(month, cutoffs.every_run())
                && usize::try_from(counts.runs).is_ok_and(|runs| runs == due.len());
            if !due.is_empty() {
                self.archive_runs(month, &due).await?;
                report.archived += due.len() as u64;
                self.did("archived", Some(month), due.len() as u64);
            }
            if closes {
                for some in due.chunks(WINDOW.unsigned_abs() as usize) {
                    self.go_on().await?;
                    retention::bury(&self.pool, some).await?;
                }
                return self.drop_month(month, report).await;
            }
            for some in due.chunks(DELETED) {
                self.go_on().await?;
                let deleted = retention::delete_runs(&self.pool, some, cutoffs).await?;
                report.deleted += deleted;
                self.did("deleted", Some(month), deleted);
            }
            if due.len() < WRITTEN {
                return Ok(());
            }
        }
    }

    async fn give_documents(
        &self,
        month: NaiveDate,
        cutoffs: Cutoffs,
        report: &mut Report,
    ) -> Result<(), ArchiveError> {
        let mut after = Uuid::nil();
        while let Some(upto) = retention::window_end(&self.pool, month, after, WINDOW).await? {
            // The first window begins with the month, which an id of no run stands before.
            after = after.max(before(retention::month_ids(month).0));
            loop {
                self.go_on().await?;
                let given = retention::take_documents(&self.pool, (after, upto), cutoffs, DOCUMENTS).await?;
                report.documents += given;
                self.did("document", Some(month), given);
                if given < DOCUMENTS.unsigned_abs() {
                    break;
                }
            }
            after = upto;
        }
        Ok(())
    }

    /// The runs of a month that may go now, [`WRITTEN`] at most and some.
    async fn due(&self, month: NaiveDate, cutoffs: Cutoffs) -> Result<Vec<Uuid>, ArchiveError> {
        let (mut due, mut after) = (Vec::new(), before(retention::month_ids(month).0));
        while due.len() < WRITTEN
            && let Some(upto) = retention::window_end(&self.pool, month, after, WINDOW).await?
        {
            self.go_on().await?;
            due.extend(retention::due_runs(&self.pool, after, upto, cutoffs).await?);
            after = upto;
        }
        Ok(due)
    }

    /// Writes these runs to the month's archive. Where it has one of them already, since somebody died before it was
    /// deleted, the database's rows take the place of the archive's.
    async fn archive_runs(&self, month: NaiveDate, due: &[Uuid]) -> Result<Manifest, ArchiveError> {
        let left_out: HashSet<Uuid> = due.iter().copied().collect();
        self.rewrite(month, &RUN_TABLES, Rows::Of(due), LeftOut::Replaced(Arc::new(left_out))).await
    }
}

/// The id right before this one.
fn before(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_sub(1))
}
