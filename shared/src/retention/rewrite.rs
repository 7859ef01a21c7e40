//! Writing a month's archive anew: what it had, less what is to be left out, and rows of the database. First on this
//! machine, then in the store under names that nothing else has; each file is read back before the manifest names it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::archive::{
    ArchiveError, Cell, Manifest, Row, TableFile, TableReader, TableWriter, blocking, copy_rows, joined, local_file,
};
use crate::store;
use crate::store::retention::{self, RUN_TABLES, RowSource};

use super::Keeper;

/// Ids whose rows are read together.
const READ: usize = 200;

/// Which rows of the database.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows<'a> {
    /// Those of these runs.
    Of(&'a [Uuid]),
    /// All there are.
    All,
}

/// What an archive had and has no more.
#[derive(Clone, Debug)]
pub(super) enum LeftOut {
    /// Rows whose place the database's rows take.
    Replaced(Arc<HashSet<Uuid>>),
    /// Rows of what was erased.
    Erased(Arc<HashSet<Uuid>>),
}

impl Keeper {
    /// Writes these tables of a month's archive anew; the manifest that is in force now. What is left out of a table
    /// that the database has no more is left out only where it was erased: nothing could take its place.
    pub(super) async fn rewrite(
        &self,
        month: NaiveDate,
        tables: &[&str],
        rows: Rows<'_>,
        left_out: LeftOut,
    ) -> Result<Manifest, ArchiveError> {
        self.go_on().await?;
        let now = store::now(&self.pool).await?;
        let manifest = self.archive.manifest(month).await?.unwrap_or_else(|| Manifest::empty(month, now));
        let version = store::schema(&self.pool).await?.newest.unwrap_or_default();
        let mut written = BTreeMap::new();
        for table in tables {
            self.go_on().await?;
            let entry = self.rewrite_table(&manifest, table, rows, &left_out, version).await?;
            written.insert((*table).to_owned(), entry);
        }
        let next = manifest.next(now, written);
        // Nobody else has written meanwhile, since the duty is ours without a gap.
        self.go_on().await?;
        self.archive.put_manifest(&next).await?;
        self.archive.sweep(&next).await?;
        Ok(next)
    }

    async fn rewrite_table(
        &self,
        manifest: &Manifest,
        table: &str,
        rows: Rows<'_>,
        left_out: &LeftOut,
        version: i64,
    ) -> Result<TableFile, ArchiveError> {
        let month = manifest.month;
        let source = retention::source(&self.pool, table, month).await?;
        let former = match manifest.tables.get(table) {
            Some(entry) => Some(self.archive.fetch(month, entry).await?),
            None => None,
        };
        let local = local_file(self.archive.scratch(), table, "made");
        let ours = source.as_ref().map(|source| source.columns.clone()).unwrap_or_default();
        let mut writer = {
            let (local, former) = (local.clone(), former.clone());
            let id_column = if RUN_TABLES.contains(&table) { "run_id" } else { "event_id" };
            let left_out = match left_out {
                LeftOut::Erased(ids) => Arc::clone(ids),
                LeftOut::Replaced(ids) if source.is_some() => Arc::clone(ids),
                LeftOut::Replaced(_) => Arc::default(),
            };
            blocking(move || begin(&local, ours, former.as_deref(), (id_column, &left_out))).await?
        };
        if let Some(former) = former {
            tokio::fs::remove_file(former).await?;
        }
        if let Some(source) = &source {
            writer = self.append(writer, source, rows).await?;
        }
        let columns = writer.columns().to_vec();
        let count = blocking(move || Ok(writer.finish()?)).await?;
        let name = manifest.next_file(table);
        let stored = self.archive.store(month, &name, &local, (count, columns, version)).await?;
        tokio::fs::remove_file(local).await?;
        Ok(stored)
    }

    async fn append(
        &self,
        mut writer: TableWriter,
        source: &RowSource,
        rows: Rows<'_>,
    ) -> Result<TableWriter, ArchiveError> {
        match rows {
            Rows::Of(ids) => {
                for some in ids.chunks(READ) {
                    self.go_on().await?;
                    writer = push(writer, retention::rows_of(&self.pool, source, some).await?).await?;
                }
            }
            Rows::All => {
                let (mut after, count) = (Uuid::nil(), i64::try_from(READ).unwrap_or(i64::MAX));
                loop {
                    self.go_on().await?;
                    let some = retention::first_rows(&self.pool, source, after, count).await?;
                    let Some(last) = some.last() else { break };
                    after = *last;
                    writer = push(writer, retention::rows_of(&self.pool, source, &some).await?).await?;
                }
            }
        }
        Ok(writer)
    }
}

/// Begins a file with what the former one had, less what is to be left out.
fn begin(
    local: &std::path::Path,
    ours: Vec<crate::archive::Column>,
    former: Option<&std::path::Path>,
    (id_column, left_out): (&str, &HashSet<Uuid>),
) -> Result<TableWriter, ArchiveError> {
    let Some(former) = former else { return Ok(TableWriter::create(local, ours)?) };
    let reader = TableReader::open(former, None)?;
    let at = reader.position(id_column);
    let mut writer = TableWriter::create(local, joined(ours, reader.columns()))?;
    copy_rows(former, &mut writer, |row| {
        let id = at.and_then(|at| row[at].text()).and_then(|text| text.parse().ok());
        id.is_none_or(|id: Uuid| !left_out.contains(&id))
    })?;
    Ok(writer)
}

/// Rows of the database have its columns; what only an earlier version had follows them and is empty.
async fn push(mut writer: TableWriter, rows: Vec<Row>) -> Result<TableWriter, ArchiveError> {
    blocking(move || {
        let width = writer.columns().len();
        for mut row in rows {
            row.resize(width, Cell::Null);
            writer.push(row)?;
        }
        Ok(writer)
    })
    .await
}
