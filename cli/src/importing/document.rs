//! An old document's way into the document store.

use std::path::Path;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use shared::documents::{Documents, DocumentsError, document_key};
use shared::domain::ContentType;
use shared::legacy::LegacyRun;
use shared::sha256::sha256;
use shared::store::imports::ImportedDocument;
use tokio::io::AsyncReadExt as _;

use super::inside::Root;

/// Bytes of an old document, at most: twice what may be submitted today.
const MOST_BYTES: u64 = 100 * 1024 * 1024;

/// Bytes in memory at a time.
const CHUNK: usize = 256 * 1024;

/// Why a document is not in the store.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The old file: the folder cannot be read.
    #[error("the document {0}")]
    Old(String),
    /// The store: nothing can be imported now.
    #[error(transparent)]
    Store(#[from] DocumentsError),
}

/// Where a run's document goes. It follows from the run, so that an import that was interrupted before the row was
/// written writes over what it had written.
pub fn key(run: &LegacyRun) -> String {
    document_key(run.created_at, run.run_id)
}

/// Copies a document, part by part.
///
/// # Errors
/// The old file cannot be read, or the store takes nothing.
pub async fn copy(root: &Root, path: &Path, run: &LegacyRun, documents: &Documents) -> Result<ImportedDocument, Fault> {
    let old = |error: &dyn std::fmt::Display| Fault::Old(error.to_string());
    let file = root.file(path).map_err(|error| old(&error))?.ok_or_else(|| old(&"is gone"))?;
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    let key = key(run);
    let mut upload = documents.begin(&key)?;
    let (mut size, mut hash, mut first) = (0_u64, Sha256::new(), Vec::new());
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await;
        let read = read.map_err(|error| old(&format!("cannot be read: {error}")))?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > MOST_BYTES {
            upload.abort().await?;
            return Err(Fault::Old(format!("has more than {} MiB", MOST_BYTES / 1024 / 1024)));
        }
        hash.update(&chunk);
        let wanted = ContentType::FIRST_BYTES.saturating_sub(first.len()).min(chunk.len());
        first.extend_from_slice(&chunk[..wanted]);
        upload.write(Bytes::from(chunk)).await?;
    }
    if size == 0 {
        return Err(old(&"has become empty"));
    }
    upload.finish().await?;
    Ok(ImportedDocument {
        key,
        content_type: ContentType::from_first_bytes(&first).map(ContentType::as_mime),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        sha256: hash.finalize().into(),
    })
}

/// The SHA-256 of an old document. Blocks on the file system.
///
/// # Errors
/// It cannot be read.
pub fn hash(root: &Root, path: &Path) -> Result<[u8; 32], String> {
    let file = root.file(path).map_err(|error| format!("the document {error}"))?.ok_or("the document is gone")?;
    let hashed = sha256(std::io::Read::take(file, MOST_BYTES));
    hashed.map(|(_, hash)| hash).map_err(|error| format!("the document cannot be read: {error}"))
}
