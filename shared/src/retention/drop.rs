//! Dropping a month: each of its tables is taken out of the record, which is a change of the catalogue and takes a
//! moment; then it is held against the archive, at leisure and where nothing can be added any more; then it is dropped.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;

use crate::archive::ArchiveError;
use crate::store::StoreError;
use crate::store::retention::{self, RUN_TABLES};

use super::Keeper;
use super::keep::Report;

/// How often a table is asked for that is in use; a try waits for two seconds at most, and so do all behind it.
const TRIES: u32 = 6;

impl Keeper {
    pub(super) async fn drop_month(&self, month: NaiveDate, report: &mut Report) -> Result<(), ArchiveError> {
        // The runs first: without its runs a month has nothing that could be archived anew, from tables of which some
        // are gone. Who asks for one of them is answered by its grave from then on.
        for table in RUN_TABLES {
            self.detach(table, month).await?;
        }
        self.settle(month, &RUN_TABLES.map(str::to_owned)).await?;
        report.dropped += 1;
        self.did("month", Some(month), 1);
        Ok(())
    }

    pub(super) async fn detach(&self, table: &str, month: NaiveDate) -> Result<(), ArchiveError> {
        for tried in 1.. {
            self.go_on().await?;
            match retention::detach(&self.pool, table, month).await {
                Ok(_) => break,
                Err(StoreError::Unavailable(_)) if tried < TRIES => {
                    // Those who were stopped meanwhile go first.
                    tokio::time::sleep(Duration::from_millis(500) * tried).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Drops tables of a month that were taken out, if all that is in them is in the archive; else they all go back.
    pub(super) async fn settle(&self, month: NaiveDate, tables: &[String]) -> Result<(), ArchiveError> {
        for table in tables {
            self.go_on().await?;
            let missing = if RUN_TABLES.contains(&table.as_str()) {
                self.rows_not_archived(table, month).await?
            } else {
                self.events_not_archived(table, month).await?
            };
            if missing > 0 {
                for (table, out) in retention::detached(&self.pool).await? {
                    if out == month && tables.contains(&table) {
                        retention::attach(&self.pool, &table, month).await?;
                    }
                }
                return Err(ArchiveError::NotArchived { table: table.clone(), month, rows: missing });
            }
        }
        for table in tables {
            self.go_on().await?;
            retention::drop_detached(&self.pool, table, month).await?;
        }
        Ok(())
    }

    async fn rows_not_archived(&self, table: &str, month: NaiveDate) -> Result<i64, ArchiveError> {
        if retention::source(&self.pool, table, month).await?.is_none() {
            return Ok(0);
        }
        let owed = retention::unfinished_jobs(&self.pool, month).await?;
        Ok(owed.max(retention::not_archived(&self.pool, table, month).await?))
    }

    /// Tables that somebody took out of the record before it died: what it was about to do is done, or undone.
    pub(super) async fn settle_detached(&self, report: &mut Report) -> Result<(), ArchiveError> {
        let (mut months, mut failed) = (BTreeMap::<NaiveDate, Vec<String>>::new(), None);
        for (table, month) in retention::detached(&self.pool).await? {
            months.entry(month).or_default().push(table);
        }
        for (month, mut tables) in months {
            tables.sort_by_key(|table| RUN_TABLES.iter().position(|known| known == table));
            let with_runs = tables.iter().any(|table| table == RUN_TABLES[0]);
            match self.settle(month, &tables).await {
                Ok(()) => report.dropped += u64::from(with_runs),
                Err(error @ ArchiveError::NotArchived { .. }) => failed = Some(error),
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }
}
