//! The body of a submission as it arrives: bounded in size, in silence, in time and in what may be held back
//! while the header of a part is looked for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::problem::{Code, Problem};

/// How long a body may be silent: as long as an idempotency key waits for one that stopped arriving.
const SILENCE: Duration = Duration::from_secs(60);

/// How long a body may take altogether.
const WHOLE: Duration = Duration::from_secs(15 * 60);

/// What may arrive while the end of a part's header is looked for.
const HEADER_BYTES: u64 = 128 * 1024;

/// What is read and thrown away after a refusal, so that a caller who is still sending reads the answer and
/// does not find a broken connection.
const DRAINED_BYTES: u64 = 128 * 1024 * 1024;
const DRAINED_IN: Duration = Duration::from_secs(20);

/// Why a body cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Larger than any submission may be.
    #[error("the body is too large")]
    TooLarge,
    /// Silent for too long.
    #[error("the body stopped arriving")]
    Silent,
    /// The connection ended in the middle.
    #[error("the body ended too early")]
    Broken,
    /// The header of a part does not end.
    #[error("the header of a part is too large")]
    Header,
}

/// A body that is read once and, after a refusal, to its end.
#[derive(Clone)]
pub struct Incoming(Arc<Mutex<Inner>>);

struct Inner {
    body: BodyDataStream,
    received: u64,
    most: u64,
    header_until: Option<u64>,
    ends_at: Instant,
    silence: Pin<Box<Sleep>>,
    fault: Option<Fault>,
}

impl Incoming {
    /// A body of at most so many bytes.
    #[must_use]
    pub fn new(body: Body, most: u64) -> Self {
        let now = Instant::now();
        Self(Arc::new(Mutex::new(Inner {
            body: body.into_data_stream(),
            received: 0,
            most,
            header_until: None,
            ends_at: now + WHOLE,
            silence: Box::pin(sleep_until(now + SILENCE)),
            fault: None,
        })))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Refuses a body that is declared larger than it may be before any of it is read.
    ///
    /// # Errors
    /// 413.
    pub fn declared(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let most = self.with(|inner| inner.most);
        if length.is_some_and(|length| length > most) { Err(too_large()) } else { Ok(()) }
    }

    /// The bytes in order.
    pub fn bytes(&self) -> impl Stream<Item = Result<Bytes, Fault>> + Send + use<> {
        let body = self.clone();
        futures::stream::poll_fn(move |context| body.with(|inner| inner.poll(context)))
    }

    /// Says that the header of a part is looked for from here on, or that it was found.
    pub fn looking_for_header(&self, looking: bool) {
        self.with(|inner| inner.header_until = looking.then_some(inner.received + HEADER_BYTES));
    }

    /// Whether anything was read yet.
    #[must_use]
    pub fn untouched(&self) -> bool {
        self.with(|inner| inner.received == 0)
    }

    /// What a caller is told of a body that cannot be read; `detail` where the fault is in its form.
    #[must_use]
    pub fn problem(&self, detail: &'static str) -> Problem {
        match self.with(|inner| inner.fault) {
            Some(Fault::TooLarge) => too_large(),
            Some(Fault::Silent) => Problem::malformed("The body stopped arriving."),
            Some(Fault::Broken) => Problem::malformed("The body ended too early."),
            Some(Fault::Header) => Problem::malformed("The header of a part is too large."),
            None => Problem::malformed(detail),
        }
    }

    /// Reads on and throws away, within bounds.
    pub async fn drain(&self) {
        self.with(|inner| {
            inner.fault = None;
            inner.header_until = None;
            inner.most = inner.received.saturating_add(DRAINED_BYTES);
        });
        let mut rest = std::pin::pin!(self.bytes());
        let all = async { while let Some(Ok(_)) = rest.next().await {} };
        // Whoever is slower than that gets a closed connection.
        drop(tokio::time::timeout(DRAINED_IN, all).await);
    }
}

/// 413.
pub(super) fn too_large() -> Problem {
    Problem::new(Code::FileTooLarge, "The file has more than 50 MiB.")
}

impl Inner {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        if let Some(fault) = self.fault {
            return Poll::Ready(Some(Err(fault)));
        }
        match self.body.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(bytes))) => {
                let now = Instant::now();
                self.received += bytes.len() as u64;
                if self.received > self.most {
                    return self.fail(Fault::TooLarge);
                }
                if self.header_until.is_some_and(|until| self.received > until.max(bytes.len() as u64)) {
                    return self.fail(Fault::Header);
                }
                if now > self.ends_at {
                    return self.fail(Fault::Silent);
                }
                self.silence.as_mut().reset(now + SILENCE);
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(Some(Err(_))) => self.fail(Fault::Broken),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.silence.as_mut().poll(context).is_ready() => self.fail(Fault::Silent),
            Poll::Pending => Poll::Pending,
        }
    }

    fn fail(&mut self, fault: Fault) -> Poll<Option<Result<Bytes, Fault>>> {
        self.fault = Some(fault);
        Poll::Ready(Some(Err(fault)))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn body(chunks: Vec<&'static str>) -> Body {
        Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, std::convert::Infallible>)))
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_cut_off_and_can_be_drained() {
        let incoming = Incoming::new(body(vec!["abc", "def", "ghi"]), 5);
        let read: Vec<_> = incoming.bytes().take(2).collect().await;
        assert_eq!(read[1], Err(Fault::TooLarge));
        assert_eq!(incoming.problem("").code, Code::FileTooLarge);
        incoming.drain().await;
        assert_eq!(incoming.with(|inner| inner.received), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_silent_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::convert::Infallible>>());
        let incoming = Incoming::new(endless, 5);
        let mut bytes = std::pin::pin!(incoming.bytes());
        assert_eq!(bytes.next().await, Some(Err(Fault::Silent)));
        assert_eq!(incoming.problem("").code, Code::MalformedRequest);
    }

    #[tokio::test]
    async fn the_header_of_a_part_is_bounded() {
        let chunk: &'static str = Box::leak("x".repeat(100 * 1024).into_boxed_str());
        let incoming = Incoming::new(body(vec![chunk, chunk]), u64::MAX);
        incoming.looking_for_header(true);
        let read: Vec<_> = incoming.bytes().take(2).collect().await;
        assert_eq!(read[1], Err(Fault::Header));
    }
}
