//! A month of audit events past its term. Events are never changed, so the month goes as it is.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::archive::{ArchiveError, TableReader, blocking};
use crate::store::retention;

use super::Keeper;
use super::keep::Report;
use super::rewrite::{LeftOut, Rows};

/// Ids that are looked at together.
const READ: i64 = 2000;

impl Keeper {
    pub(super) async fn keep_audit_month(&self, month: NaiveDate, report: &mut Report) -> Result<(), ArchiveError> {
        let tables = retention::audit_tables(&self.pool).await?;
        for table in &tables {
            self.archive_events(table, month).await?;
        }
        for table in &tables {
            self.detach(table, month).await?;
        }
        self.settle(month, &tables).await?;
        report.audit_months += 1;
        self.did("audit_month", Some(month), 1);
        Ok(())
    }

    async fn archive_events(&self, table: &str, month: NaiveDate) -> Result<(), ArchiveError> {
        let archived = self.archive.manifest(month).await?.is_some_and(|known| known.tables.contains_key(table));
        if archived && self.events_not_archived(table, month).await? == 0 {
            return Ok(());
        }
        let left_out =
            if archived { self.event_ids(table, month).await?.into_iter().collect() } else { HashSet::new() };
        self.rewrite(month, &[table], Rows::All, LeftOut::Replaced(Arc::new(left_out))).await?;
        Ok(())
    }

    /// How many rows of a month of an audit's table the archive does not have.
    pub(super) async fn events_not_archived(&self, table: &str, month: NaiveDate) -> Result<i64, ArchiveError> {
        let there = self.event_ids(table, month).await?;
        let manifest = self.archive.manifest(month).await?;
        let Some(entry) = manifest.as_ref().and_then(|manifest| manifest.tables.get(table)) else {
            return Ok(i64::try_from(there.len()).unwrap_or(i64::MAX));
        };
        let local = self.archive.fetch(month, entry).await?;
        let missing = blocking(move || {
            let reader = TableReader::open(&local, Some(&["event_id"]))?;
            let archived: Result<HashSet<Option<Uuid>>, _> =
                reader.map(|row| row.map(|row| row.first().and_then(|cell| cell.text()?.parse().ok()))).collect();
            let archived = archived?;
            std::fs::remove_file(&local)?;
            Ok(there.iter().filter(|event_id| !archived.contains(&Some(**event_id))).count())
        });
        Ok(i64::try_from(missing.await?).unwrap_or(i64::MAX))
    }

    async fn event_ids(&self, table: &str, month: NaiveDate) -> Result<Vec<Uuid>, ArchiveError> {
        let Some(source) = retention::source(&self.pool, table, month).await? else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        loop {
            self.go_on().await?;
            let after = all.last().copied().unwrap_or(Uuid::nil());
            let some = retention::first_rows(&self.pool, &source, after, READ).await?;
            if some.is_empty() {
                return Ok(all);
            }
            all.extend(some);
        }
    }
}
