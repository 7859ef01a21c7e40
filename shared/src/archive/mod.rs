//! The archive: what is past its term, one Parquet file for each month and table in the document store, under
//! `archive/YYYY-MM/`, beside a manifest that says what is whole. A month's archive grows while its runs go past their
//! terms, and is written anew without what was erased. Every writing makes new files, reads them back, and then puts a
//! new manifest in the place of the old one; whatever is not named by the manifest does not count and is removed.

mod column;
mod files;
mod manifest;
mod table;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use futures::TryStreamExt as _;

use crate::documents::{Documents, DocumentsError};
use crate::store::StoreError;

pub use column::{Cell, Column, Kind, Row};
pub(crate) use files::blocking;
pub use manifest::{FORMAT, Manifest, TableFile};
pub use table::{TableReader, TableWriter, copy_rows, joined, local_file};

/// What can go wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document store.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// A file of this machine.
    #[error("a local file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// A Parquet file.
    #[error("a Parquet file cannot be used: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// What was read back is not what was written, or not what the manifest says.
    #[error("{0} in the document store is not as it was written")]
    NotAsWritten(String),
    /// The manifest is none, or one of a later version.
    #[error("the manifest of {month} cannot be used: {problem}")]
    Manifest {
        /// Of which month.
        month: NaiveDate,
        /// Why.
        problem: String,
    },
    /// Rows of a month that is to be dropped are in no archive.
    #[error("{rows} rows of {table} of {month} are in no archive: the month stays")]
    NotArchived {
        /// Of which table.
        table: String,
        /// Of which month.
        month: NaiveDate,
        /// How many.
        rows: i64,
    },
    /// Somebody else keeps the terms now.
    #[error("somebody else has the duty")]
    TakenOver,
    /// The process is about to end.
    #[error("it was told to stop")]
    Stopped,
}

impl ArchiveError {
    /// Whether the same may succeed later by itself.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.retryable(),
            Self::Documents(error) => error.is_transient(),
            Self::File(_) | Self::TakenOver | Self::Stopped => true,
            Self::Parquet(_) | Self::NotAsWritten(_) | Self::Manifest { .. } | Self::NotArchived { .. } => false,
        }
    }
}

/// The archives of a document store. Files are made and looked through in a folder of this machine.
#[derive(Clone, Debug)]
pub struct Archive {
    documents: Documents,
    scratch: PathBuf,
}

/// The largest manifest that is read.
const MANIFEST_BYTES: u64 = 1024 * 1024;

impl Archive {
    /// Of this store; `scratch` is a folder with room for a month's largest table, three times.
    #[must_use]
    pub fn new(documents: Documents, scratch: impl Into<PathBuf>) -> Self {
        Self { documents, scratch: scratch.into() }
    }

    /// Where files are made.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// The months that have an archive, oldest first.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn months(&self) -> Result<Vec<NaiveDate>, ArchiveError> {
        let manifests = self.documents.list("archive")?.try_filter_map(|stored| {
            let month = stored.key.strip_prefix("archive/").and_then(|rest| rest.strip_suffix("/manifest.json"));
            std::future::ready(Ok(month.and_then(month_of)))
        });
        let mut months: Vec<NaiveDate> = manifests.try_collect().await?;
        months.sort_unstable();
        Ok(months)
    }

    /// The manifest of a month; none where it has no archive.
    ///
    /// # Errors
    /// The store is unavailable, or the manifest is none.
    pub async fn manifest(&self, month: NaiveDate) -> Result<Option<Manifest>, ArchiveError> {
        let bad = |problem: String| ArchiveError::Manifest { month, problem };
        let bytes = match self.documents.read(&manifest_key(month), MANIFEST_BYTES).await {
            Err(DocumentsError::TooLarge) => return Err(bad("it is too large".into())),
            Err(DocumentsError::NotFound) => return Ok(None),
            read => read?,
        };
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(bad(format!("its format is {}, and {FORMAT} is known here", manifest.format)));
        }
        if manifest.month != month {
            return Err(bad(format!("it is that of {}", manifest.month)));
        }
        Ok(Some(manifest))
    }

    /// Puts a manifest in the place of the month's former one.
    ///
    /// # Errors
    /// The store is unavailable, or does not keep it.
    pub async fn put_manifest(&self, manifest: &Manifest) -> Result<(), ArchiveError> {
        let bytes = serde_json::to_vec_pretty(manifest).expect("a manifest is JSON");
        self.documents.put(&manifest_key(manifest.month), bytes.into()).await?;
        if self.manifest(manifest.month).await?.as_ref() == Some(manifest) {
            Ok(())
        } else {
            Err(ArchiveError::NotAsWritten(manifest_key(manifest.month)))
        }
    }

    /// Removes the files of a month that its manifest does not name: of writings that were not finished, and of those
    /// before the last. How many.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn sweep(&self, manifest: &Manifest) -> Result<u64, ArchiveError> {
        let folder = format!("{}/", folder(manifest.month));
        let stored: Vec<String> =
            self.documents.list(folder.trim_end_matches('/'))?.map_ok(|stored| stored.key).try_collect().await?;
        let mut removed = 0;
        for key in stored {
            let Some(file) = key.strip_prefix(&folder) else { continue };
            if file.ends_with(".parquet") && !manifest.names(file) {
                self.documents.delete(&key).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Where the archive of a month lies.
#[must_use]
pub fn folder(month: NaiveDate) -> String {
    format!("archive/{}", month.format("%Y-%m"))
}

fn manifest_key(month: NaiveDate) -> String {
    format!("{}/manifest.json", folder(month))
}

/// The first day of a month that is written `2026-05`.
#[must_use]
pub fn month_of(text: &str) -> Option<NaiveDate> {
    (text.len() == 7).then(|| format!("{text}-01").parse().ok()).flatten()
}
