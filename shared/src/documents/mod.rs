//! The document store: a directory here, S3 in production, one code path over `object_store`.
//! Nothing is held whole in memory: what is larger than one part is sent part by part, and an
//! upload that is dropped or aborted leaves nothing.

mod calls;
mod error;
mod keys;
mod open;
mod upload;

use std::ffi::OsString;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{BoxStream, Stream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::telemetry::Metrics;

use calls::Calls;
pub use error::DocumentsError;
pub use keys::{BadObjectKey, document_key, incoming_key, page_key};
pub use upload::Upload;

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// The store of documents and page pictures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    part_bytes: usize,
    calls: Calls,
}

/// A stored object that is being read.
pub struct Download {
    /// Bytes in all.
    pub size: u64,
    /// Its bytes, in order.
    pub bytes: BoxStream<'static, Result<Bytes, DocumentsError>>,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written.
    pub modified_at: DateTime<Utc>,
}

impl Documents {
    /// Opens the store that `STORAGE_URL` names, with the `AWS_…` variables of the environment. A directory is
    /// made if it is missing.
    ///
    /// # Errors
    /// The address cannot be used, or the directory cannot be made.
    pub fn open(storage_url: &str) -> Result<Self, DocumentsError> {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::open_with(storage_url, std::env::vars_os().filter_map(text))
    }

    /// The same with `AWS_…` variables from anywhere, so that tests need no environment.
    ///
    /// # Errors
    /// As [`Documents::open`].
    pub fn open_with(
        storage_url: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, DocumentsError> {
        open::open(storage_url, variables)
    }

    /// Counts its calls.
    #[must_use]
    pub fn counted_by(self, metrics: Metrics) -> Self {
        Self { calls: Calls::counted_by(metrics), ..self }
    }

    fn at(&self, key: &str) -> Result<Path, DocumentsError> {
        let key = Path::parse(key).map_err(|_| DocumentsError::BadKey)?;
        Ok(self.prefix.parts().chain(key.parts()).collect())
    }

    /// Begins an upload; nothing can be read at `key` before [`Upload::finish`].
    ///
    /// # Errors
    /// The key is none of ours.
    pub fn begin(&self, key: &str) -> Result<Upload, DocumentsError> {
        Ok(Upload::new(Arc::clone(&self.store), self.at(key)?, self.part_bytes, self.calls.clone()))
    }

    /// Stores what is in memory already (a page's picture).
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<(), DocumentsError> {
        self.calls.count(self.store.put(&self.at(key)?, PutPayload::from_bytes(bytes))).await?;
        Ok(())
    }

    /// Reads an object as a stream.
    ///
    /// # Errors
    /// It is not there, or the store is unavailable.
    pub async fn get(&self, key: &str) -> Result<Download, DocumentsError> {
        let found = self.calls.count(self.store.get(&self.at(key)?)).await?;
        Ok(Download { size: found.meta.size, bytes: found.into_stream().map_err(DocumentsError::from).boxed() })
    }

    /// Reads a small object into memory.
    ///
    /// # Errors
    /// It is not there or has more bytes than that, or the store is unavailable.
    pub async fn read(&self, key: &str, at_most: u64) -> Result<Vec<u8>, DocumentsError> {
        let found = self.get(key).await?;
        if found.size > at_most {
            return Err(DocumentsError::TooLarge);
        }
        let add = |mut all: Vec<u8>, part: Bytes| {
            all.extend_from_slice(&part);
            std::future::ready(Ok(all))
        };
        found.bytes.try_fold(Vec::new(), add).await
    }

    /// Has an object as a file to be read: of a store in a directory the stored one, of any other a copy at `file`.
    ///
    /// # Errors
    /// It is not there, the store is unavailable, or the file cannot be written.
    pub async fn fetch(&self, key: &str, file: PathBuf) -> Result<PathBuf, DocumentsError> {
        match self.calls.count(self.store.get(&self.at(key)?)).await?.payload {
            GetResultPayload::File(_, stored) => Ok(stored),
            GetResultPayload::Stream(bytes) => write(bytes, &file).await.map(|()| file),
        }
    }

    /// Writes a copy of an object into a file.
    ///
    /// # Errors
    /// As [`Documents::fetch`].
    pub async fn download(&self, key: &str, file: &FilePath) -> Result<(), DocumentsError> {
        match self.calls.count(self.store.get(&self.at(key)?)).await?.payload {
            // A file of this machine is copied by the kernel, in one go and through no memory of ours.
            GetResultPayload::File(mut stored, _) => {
                let file = file.to_owned();
                let copied =
                    tokio::task::spawn_blocking(move || std::io::copy(&mut stored, &mut std::fs::File::create(file)?));
                copied.await.map_err(std::io::Error::other).flatten().map(drop).map_err(DocumentsError::File)
            }
            GetResultPayload::Stream(bytes) => write(bytes, file).await,
        }
    }

    /// Stores a file of this machine; answers how many bytes it has.
    ///
    /// # Errors
    /// The file cannot be read, or the store is unavailable; nothing can be read at `key` then that was not before.
    pub async fn upload(&self, key: &str, file: &FilePath) -> Result<u64, DocumentsError> {
        let mut file = tokio::fs::File::open(file).await.map_err(DocumentsError::File)?;
        let (mut upload, mut written) = (self.begin(key)?, 0);
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            let read = (&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece).await;
            if read.map_err(DocumentsError::File)? == 0 {
                break;
            }
            written += piece.len() as u64;
            upload.write(Bytes::from(piece)).await?;
        }
        upload.finish().await?;
        Ok(written)
    }

    /// Deletes an object; one that is absent is deleted already.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn delete(&self, key: &str) -> Result<(), DocumentsError> {
        match self.calls.count(self.store.delete(&self.at(key)?)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Every object under a prefix, in no order.
    ///
    /// # Errors
    /// The prefix is none of ours; the items say when the store is unavailable.
    pub fn list(
        &self,
        prefix: &str,
    ) -> Result<impl Stream<Item = Result<Stored, DocumentsError>> + use<>, DocumentsError> {
        let (prefix, own) = (self.at(prefix)?, self.prefix.clone());
        let found = self.store.list(Some(&prefix)).map_err(DocumentsError::from);
        Ok(found.try_filter_map(move |meta| {
            let key = meta.location.prefix_match(&own).map(|parts| parts.collect::<Path>().to_string());
            let stored = key.map(|key| Stored { key, size: meta.size, modified_at: meta.last_modified });
            futures::future::ready(Ok(stored))
        }))
    }

    /// Writes, reads and deletes a small object: whether documents can be stored now.
    ///
    /// # Errors
    /// They cannot.
    pub async fn probe(&self) -> Result<(), DocumentsError> {
        let key = format!("probe/{}", uuid::Uuid::new_v4());
        self.put(&key, Bytes::from_static(b"probe")).await?;
        self.get(&key).await?.bytes.try_for_each(|_| std::future::ready(Ok(()))).await?;
        self.delete(&key).await
    }
}

async fn write(
    mut bytes: BoxStream<'static, object_store::Result<Bytes>>,
    file: &FilePath,
) -> Result<(), DocumentsError> {
    let mut written = tokio::fs::File::create(file).await.map_err(DocumentsError::File)?;
    while let Some(bytes) = bytes.try_next().await? {
        written.write_all(&bytes).await.map_err(DocumentsError::File)?;
    }
    written.flush().await.map_err(DocumentsError::File)
}
