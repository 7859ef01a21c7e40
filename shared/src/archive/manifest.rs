//! `archive/YYYY-MM/manifest.json`: which files a month's archive is made of. Only what it names counts; it is written
//! last, so that an archive is either as it was or as it shall be.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Column;

/// The form of this file.
pub const FORMAT: u32 = 1;

/// A month's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The first day of the month, in UTC.
    pub month: NaiveDate,
    /// Counts the writings of this file.
    pub generation: u32,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// By table.
    pub tables: BTreeMap<String, TableFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Its name beside the manifest.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// The newest migration that the database had had.
    pub schema_version: i64,
    /// Its columns, all of which may be null.
    pub columns: Vec<Column>,
}

impl Manifest {
    /// Of a month without an archive.
    #[must_use]
    pub fn empty(month: NaiveDate, at: DateTime<Utc>) -> Self {
        Self { format: FORMAT, month, generation: 0, written_at: at, tables: BTreeMap::new() }
    }

    /// The next one, in which these tables stand in the place of their former files.
    #[must_use]
    pub fn next(&self, at: DateTime<Utc>, tables: BTreeMap<String, TableFile>) -> Self {
        let mut next = Self { generation: self.generation + 1, written_at: at, ..self.clone() };
        next.tables.extend(tables);
        next
    }

    /// What a table's file is called in the manifest after this one: by the table alone at first, and then with the
    /// number of the writing, since a file that is named is never changed.
    #[must_use]
    pub fn next_file(&self, table: &str) -> String {
        match self.generation + 1 {
            _ if !self.tables.contains_key(table) => format!("{table}.parquet"),
            generation => format!("{table}.{generation}.parquet"),
        }
    }

    /// Whether the file is part of the archive.
    #[must_use]
    pub fn names(&self, file: &str) -> bool {
        self.tables.values().any(|table| table.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_named_is_never_written_again() {
        let month = NaiveDate::from_ymd_opt(2026, 5, 1).expect("a day");
        let file = |name: String| TableFile {
            file: name,
            rows: 0,
            bytes: 0,
            sha256: String::new(),
            schema_version: 1,
            columns: Vec::new(),
        };
        let mut manifest = Manifest::empty(month, DateTime::UNIX_EPOCH);
        let mut seen = Vec::new();
        for _ in 0..3 {
            let name = manifest.next_file("ocr_pages");
            assert!(!seen.contains(&name), "{name}");
            seen.push(name.clone());
            let tables = BTreeMap::from([("ocr_pages".to_owned(), file(name.clone()))]);
            manifest = manifest.next(DateTime::UNIX_EPOCH, tables);
            assert!(manifest.names(&name));
        }
        assert_eq!(seen, ["ocr_pages.parquet", "ocr_pages.2.parquet", "ocr_pages.3.parquet"]);
        assert_eq!(manifest.next_file("audit_events"), "audit_events.parquet");
    }
}
