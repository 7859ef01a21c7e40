//! The file of a submission: told by its first bytes, hashed and counted on its way to the document store,
//! never whole in memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use shared::documents::Upload;
use shared::domain::ContentType;
use shared::settings::Limits;
use tokio::time::Instant;

use super::idempotency::Guard;
use super::incoming::too_large;
use crate::problem::{Code, Problem};

/// How often a reserved idempotency key is kept alive while bytes arrive. Its minute counts from the last time,
/// so a process that dies leaves a key that is free at most so much before a minute after the last byte.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A file that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Told by the first bytes.
    pub content_type: ContentType,
    /// Bytes.
    pub size: u64,
    /// Of the whole file.
    pub sha256: [u8; 32],
    /// Cleaned.
    pub filename: String,
}

/// Where the bytes of the file go.
#[derive(Debug, Default)]
pub struct Sink {
    /// Into the document store; none: a repeat is hashed and not stored.
    pub upload: Option<Upload>,
    /// The key to keep alive while bytes arrive.
    pub guard: Option<Guard>,
    /// Hash of the first submission, where this is a repeat.
    pub repeat_of: Option<Vec<u8>>,
    kept_alive: Option<Instant>,
}

impl Sink {
    /// Stores, and keeps the key alive where there is one.
    #[must_use]
    pub fn storing(upload: Upload, guard: Option<Guard>) -> Self {
        Self { upload: Some(upload), guard, ..Self::default() }
    }

    /// Hashes only, to be compared with the first submission.
    #[must_use]
    pub fn comparing(content_hash: Vec<u8>) -> Self {
        Self { repeat_of: Some(content_hash), ..Self::default() }
    }

    async fn take(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let now = Instant::now();
        let since = *self.kept_alive.get_or_insert(now);
        if let Some(guard) = self.guard.as_ref().filter(|_| now - since >= KEEP_ALIVE) {
            guard.keep_alive().await?;
            self.kept_alive = Some(now);
        }
        if let Some(upload) = &mut self.upload {
            upload.write(bytes).await?;
        }
        Ok(())
    }

    /// Takes back what was stored and frees the key.
    pub async fn abandon(&mut self) {
        if let Some(upload) = self.upload.take()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "an upload that was refused could not be taken back");
        }
        if let Some(guard) = self.guard.take() {
            guard.free().await;
        }
    }
}

/// What became of the bytes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// There were none.
    Empty,
    /// A file, still without its name.
    File { content_type: ContentType, size: u64, sha256: [u8; 32] },
}

/// Receives a file. `broken` says what a fault of the stream is to the caller.
pub(super) async fn receive<E>(
    bytes: impl Stream<Item = Result<Bytes, E>>,
    sink: &mut Sink,
    broken: impl Fn(E) -> Problem,
) -> Result<Received, Problem> {
    let mut bytes = std::pin::pin!(bytes);
    let mut head = Bytes::new();
    while head.len() < ContentType::FIRST_BYTES
        && let Some(chunk) = bytes.next().await
    {
        head = joined(head, chunk.map_err(&broken)?);
    }
    if head.is_empty() {
        return Ok(Received::Empty);
    }
    let content_type = ContentType::from_first_bytes(&head).ok_or_else(|| {
        Problem::new(
            Code::UnsupportedMediaType,
            "The file is none of PDF, JPEG, PNG and TIFF, told by its first bytes.",
        )
    })?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut chunk = head;
    loop {
        size += chunk.len() as u64;
        if size > Limits::UPLOAD_BYTES {
            return Err(too_large());
        }
        hash.update(&chunk);
        sink.take(chunk).await?;
        chunk = match bytes.next().await {
            Some(next) => next.map_err(&broken)?,
            None => break,
        };
    }
    Ok(Received::File { content_type, size, sha256: hash.finalize().into() })
}

/// Without a copy where one of the two is empty, which is the rule.
fn joined(head: Bytes, next: Bytes) -> Bytes {
    if head.is_empty() {
        return next;
    }
    let mut both = BytesMut::with_capacity(head.len() + next.len());
    both.extend_from_slice(&head);
    both.extend_from_slice(&next);
    both.freeze()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    async fn received(chunks: Vec<Vec<u8>>) -> Result<Received, Problem> {
        let bytes = stream::iter(chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk))));
        receive(bytes, &mut Sink::default(), |never| match never {}).await
    }

    #[tokio::test]
    async fn a_file_is_told_hashed_and_counted_however_it_is_cut() {
        let file = [b"%PDF-1.7\n".to_vec(), vec![b'x'; 5000]].concat();
        for size in [1, 7, 1024, 1025, 9000] {
            let got = received(file.chunks(size).map(<[u8]>::to_vec).collect()).await.expect("is received");
            let sha256 = Sha256::digest(&file).into();
            assert_eq!(got, Received::File { content_type: ContentType::Pdf, size: 5009, sha256 });
        }
    }

    #[tokio::test]
    async fn an_empty_file_is_told_from_a_wrong_one() {
        assert_eq!(received(vec![]).await.expect("is read"), Received::Empty);
        assert_eq!(received(vec![vec![]]).await.expect("is read"), Received::Empty);
        let wrong = received(vec![b"MZ program".to_vec()]).await.expect_err("is refused");
        assert_eq!(wrong.code, Code::UnsupportedMediaType);
    }

    #[tokio::test]
    async fn fifty_mebibytes_are_taken_and_one_byte_more_is_not() {
        let megabyte =
            |n: usize| if n == 0 { [b"%PDF-".to_vec(), vec![0; (1 << 20) - 5]].concat() } else { vec![0; 1 << 20] };
        let mut chunks: Vec<Vec<u8>> = (0..50).map(megabyte).collect();
        assert!(received(chunks.clone()).await.is_ok());
        chunks.push(vec![0]);
        assert_eq!(received(chunks).await.expect_err("is refused").code, Code::FileTooLarge);
    }
}
