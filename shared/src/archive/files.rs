//! Files of an archive on their way to the document store and back.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::hex::hex;
use crate::sha256::sha256;

use super::{Archive, ArchiveError, Column, TableFile, TableReader, folder};

impl Archive {
    /// Stores a file of this machine in a month's archive, reads it back, and answers what the manifest says of it.
    ///
    /// # Errors
    /// The store is unavailable, or what it gives back is not what it was given.
    pub async fn store(
        &self,
        month: NaiveDate,
        name: &str,
        local: &Path,
        (rows, columns, schema_version): (u64, Vec<Column>, i64),
    ) -> Result<TableFile, ArchiveError> {
        let key = format!("{}/{name}", folder(month));
        let entry = {
            let (bytes, sha256) = blocking({
                let local = local.to_owned();
                move || hash(&local)
            })
            .await?;
            TableFile { file: name.to_owned(), rows, bytes, sha256, schema_version, columns }
        };
        self.documents.upload(&key, local).await?;
        let copy = self.fetch(month, &entry).await?;
        let counted = blocking({
            let copy = copy.clone();
            move || count(&copy)
        })
        .await;
        tokio::fs::remove_file(&copy).await?;
        if counted? == (rows, entry.columns.clone()) { Ok(entry) } else { Err(ArchiveError::NotAsWritten(key)) }
    }

    /// Brings a file of a month's archive onto this machine, as the manifest has it; where it lies now.
    ///
    /// # Errors
    /// The store is unavailable, or the file is another.
    pub async fn fetch(&self, month: NaiveDate, entry: &TableFile) -> Result<PathBuf, ArchiveError> {
        let key = format!("{}/{}", folder(month), entry.file);
        let local = self.scratch.join(format!("{}.fetched", uuid::Uuid::new_v4()));
        self.documents.download(&key, &local).await?;
        let (bytes, sha256) = blocking({
            let local = local.clone();
            move || hash(&local)
        })
        .await?;
        if (bytes, &sha256) == (entry.bytes, &entry.sha256) {
            return Ok(local);
        }
        tokio::fs::remove_file(&local).await?;
        Err(ArchiveError::NotAsWritten(key))
    }
}

/// Does what takes a processor or a disk a while where it holds up nothing else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ArchiveError::File(std::io::Error::other(error))),
    }
}

fn hash(path: &Path) -> Result<(u64, String), ArchiveError> {
    let (bytes, hash) = sha256(std::fs::File::open(path)?)?;
    Ok((bytes, hex(&hash)))
}

/// Reads every value of a file: how many rows it has, and its columns.
fn count(path: &Path) -> Result<(u64, Vec<Column>), ArchiveError> {
    let mut reader = TableReader::open(path, None)?;
    let columns = reader.columns().to_vec();
    let rows = reader.try_fold(0, |rows, row| row.map(|_| rows + 1))?;
    Ok((rows, columns))
}
