//! What lies between hyper and the socket. A request that is no HTTP, or whose header is too large, is refused by
//! hyper itself, before any handler, with an empty body; callers are promised a problem for everything. So the
//! connection looks for that refusal on its way out and sends a problem in its place. It also gives up a caller
//! who takes nothing of an answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::Response;
use http_body::{Frame, SizeHint};
use shared::telemetry::TraceContext;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::problem::Problem;

/// How long a caller may take nothing of what is sent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests of a connection that a handler has and whose answer is not wholly taken yet.
#[derive(Clone, Debug, Default)]
pub struct InHand(Arc<AtomicUsize>);

impl InHand {
    /// A request begins.
    #[must_use]
    pub fn begin(&self) -> Answered {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answered(self.clone())
    }

    fn none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A request in hand; dropped when its answer has been taken.
#[derive(Debug)]
pub struct Answered(InHand);

impl Answered {
    /// Ties itself to the body of the answer.
    pub fn with(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| Body::new(Tied { body, _in_hand: self }))
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Tied {
    body: Body,
    _in_hand: Answered,
}

impl HttpBody for Tied {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that sends a problem in place of hyper's own refusal.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    in_hand: InHand,
    /// What is sent instead, and for how many bytes it stands.
    instead: Option<(Bytes, usize)>,
    /// Runs while nothing can be sent.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    /// Around a stream.
    pub fn new(stream: S, in_hand: InHand) -> Self {
        Self { stream, in_hand, instead: None, stalled: None }
    }
}

impl<S: AsyncWrite + Unpin> Connection<S> {
    /// Sends what stands in place of `written` bytes, wholly.
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<usize>>> {
        while let Some((bytes, stands_for)) = &mut self.instead {
            if bytes.is_empty() {
                let stood_for = *stands_for;
                self.instead = None;
                return Poll::Ready(Some(Ok(stood_for)));
            }
            match ready!(Pin::new(&mut self.stream).poll_write(context, bytes)) {
                Ok(0) => return Poll::Ready(Some(Err(io::ErrorKind::WriteZero.into()))),
                Ok(sent) => drop(bytes.split_to(sent)),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(None)
    }

    fn patiently(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(PATIENCE)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn look_at(&mut self, head: &[u8], whole: usize) {
        if self.instead.is_none() && head.len() == whole && self.in_hand.none() {
            self.instead = refusal(head).map(|answer| (answer.into(), whole));
        }
    }
}

/// The problem in place of an answer that no handler gave.
fn refusal(head: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(head).ok()?;
    let detail = match head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?.get(..3)? {
        "400" => "The request is no well-formed HTTP.",
        "414" | "431" => "The request's header is too large.",
        _ => return None,
    };
    let trace_id = TraceContext::make().trace_id();
    tracing::debug!(trace_id, detail, "a request cannot be read");
    let body = Problem::malformed(detail).into_json(Some(trace_id));
    let mut answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    Some(answer)
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.look_at(bytes, bytes.len());
        match ready!(self.poll_instead(context)) {
            Some(written) => Poll::Ready(written),
            None => {
                let written = Pin::new(&mut self.stream).poll_write(context, bytes);
                self.patiently(context, written)
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let whole = slices.iter().map(|slice| slice.len()).sum();
        self.look_at(slices.first().map_or(&[], |slice| slice), whole);
        match ready!(self.poll_instead(context)) {
            Some(written) => Poll::Ready(written),
            None => {
                let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
                self.patiently(context, written)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let mut connection = Connection::new(ours, InHand::default());
        let slow = async {
            for _ in 0..5 {
                tokio::time::sleep(PATIENCE - Duration::from_secs(1)).await;
                theirs.read_exact(&mut [0; 16]).await.expect("is read");
            }
        };
        let (sent, ()) = tokio::join!(connection.write_all(&[0; 96]), slow);
        sent.expect("is taken in the end");
        let refused = connection.write_all(&[0; 1]).await.expect_err("nobody reads");
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn an_answer_of_a_handler_is_left_alone() {
        let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        for answering in [true, false] {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            let in_hand = InHand::default();
            let answered = answering.then(|| in_hand.begin());
            let mut connection = Connection::new(ours, in_hand);
            connection.write_all(refusal).await.expect("is sent");
            drop((connection, answered));
            let mut sent = Vec::new();
            theirs.read_to_end(&mut sent).await.expect("is read");
            assert_eq!(sent == refusal, answering);
        }
    }
}
