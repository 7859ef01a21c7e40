//! An upload that is written as it arrives. What fits into one part is stored by one call; only what
//! is larger becomes an upload in parts, sent one after the other, so that memory is bounded by a part.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use super::DocumentsError;
use super::calls::Calls;

/// An object that is being written. Dropped before [`Upload::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    key: Path,
    part_bytes: usize,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    parts: Option<Box<dyn MultipartUpload>>,
    calls: Calls,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, key: Path, part_bytes: usize, calls: Calls) -> Self {
        Self { store, key, part_bytes, waiting: Vec::new(), waiting_bytes: 0, parts: None, calls }
    }

    /// Takes the next bytes; sends a part when enough are waiting.
    ///
    /// # Errors
    /// The store is unavailable; the upload is then best dropped.
    pub async fn write(&mut self, mut bytes: Bytes) -> Result<(), DocumentsError> {
        // Parts of one size: some stores of S3's kind refuse others.
        while self.waiting_bytes + bytes.len() > self.part_bytes {
            let head = bytes.split_to(self.part_bytes - self.waiting_bytes);
            self.hold(head);
            self.send().await?;
        }
        self.hold(bytes);
        Ok(())
    }

    fn hold(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push(bytes);
    }

    fn take(&mut self) -> PutPayload {
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting).into_iter().collect()
    }

    async fn send(&mut self) -> Result<(), DocumentsError> {
        if self.parts.is_none() {
            self.parts = Some(self.calls.count(self.store.put_multipart(&self.key)).await?);
        }
        let payload = self.take();
        if let Some(parts) = &mut self.parts {
            self.calls.count(parts.put_part(payload)).await?;
        }
        Ok(())
    }

    /// Makes the object readable, whole and durable.
    ///
    /// # Errors
    /// The store is unavailable; nothing is left then.
    pub async fn finish(mut self) -> Result<(), DocumentsError> {
        if self.parts.is_some() {
            self.send().await?;
        } else {
            let payload = self.take();
            self.calls.count(self.store.put(&self.key, payload)).await?;
        }
        if let Some(parts) = &mut self.parts {
            self.calls.count(parts.complete()).await?;
            self.parts = None;
        }
        Ok(())
    }

    /// Gives the upload up and waits until nothing of it is left.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn abort(mut self) -> Result<(), DocumentsError> {
        if let Some(mut parts) = self.parts.take() {
            parts.abort().await?;
        }
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // A caller that goes away drops the request in the middle; S3 keeps the parts until told.
        if let Some(mut parts) = self.parts.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = parts.abort().await {
                    tracing::warn!(error = %error, "an upload that was given up could not be taken back");
                }
            });
        }
    }
}
