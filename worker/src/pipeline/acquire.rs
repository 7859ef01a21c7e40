//! acquire: the document is fetched and its headers are looked at, before anything of it is decoded.

use std::path::{Path, PathBuf};

use shared::documents::Documents;
use shared::domain::ErrorCode;

use super::{Failure, Subject};
use crate::document::{DocumentFile, inspect};
use crate::sandbox::Sandbox;

/// Where a document is.
#[derive(Debug)]
pub enum Origin<'a> {
    /// In the document store, under a key.
    Store(&'a Documents, &'a str),
    /// On this machine's disk.
    File(&'a Path),
}

pub(super) async fn acquire(subject: &Subject<'_>, sandbox: &Sandbox) -> Result<DocumentFile, Failure> {
    let path = fetch(&subject.origin, subject.scratch, subject.content_type.extension()).await?;
    let info = inspect(&path, subject.content_type, sandbox, subject.scratch).await?;
    Ok(DocumentFile { path, info })
}

async fn fetch(origin: &Origin<'_>, scratch: &Path, extension: &str) -> Result<PathBuf, Failure> {
    match origin {
        Origin::File(path) => Ok(path.to_path_buf()),
        Origin::Store(documents, key) => {
            // The store's words may hold a path or an address, but nothing of the document.
            let failed =
                |error| Failure::new(ErrorCode::FileSaveFailed, format!("the document cannot be fetched: {error}"));
            documents.fetch(key, scratch.join(format!("document.{extension}"))).await.map_err(failed)
        }
    }
}
