//! One trace from the request through the message to the stages and the callback: W3C trace context
//! (`traceparent`) in HTTP headers, in a job's row and in AMQP headers.
//!
//! It works without an exporter too: then ids are made here, so that logs, the run's `trace_id` and
//! what we call agree on the trace all the same.

use std::fmt;
use std::str::FromStr;

use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::{Span, dispatcher};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

/// The header, and the key in AMQP headers.
pub const TRACEPARENT: &str = "traceparent";

/// Which trace something belongs to, and the span it came from. Written as `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

/// The text is no `traceparent`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTraceparent;

impl TraceContext {
    /// A new trace.
    pub fn make() -> Self {
        Self { trace_id: TraceId::from(rand::random::<u128>()), span_id: make_span_id(), flags: TraceFlags::SAMPLED }
    }

    /// What a request came with; none if it came with nothing that can be read.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
    }

    /// 32 hexadecimal digits, as `trace_id` of a run.
    pub fn trace_id(&self) -> String {
        self.trace_id.to_string()
    }

    fn child(self) -> Self {
        Self { span_id: make_span_id(), ..self }
    }

    fn of_span(context: &SpanContext) -> Option<Self> {
        context.is_valid().then(|| Self {
            trace_id: context.trace_id(),
            span_id: context.span_id(),
            flags: context.trace_flags(),
        })
    }

    fn remote(self) -> opentelemetry::Context {
        let span = SpanContext::new(self.trace_id, self.span_id, self.flags, true, TraceState::default());
        opentelemetry::Context::new().with_remote_span_context(span)
    }
}

fn make_span_id() -> SpanId {
    SpanId::from(rand::random::<u64>().max(1))
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags.to_u8())
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceparent;

    /// Version 00, and later ones as far as 00 goes (W3C Trace Context, section 4.3).
    fn from_str(text: &str) -> Result<Self, NoTraceparent> {
        let mut parts = text.trim().split('-');
        let mut hex = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits);
            part.filter(|part| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))).ok_or(NoTraceparent)
        };
        let version = hex(2)?;
        let trace_id = TraceId::from_hex(hex(32)?).map_err(|_| NoTraceparent)?;
        let span_id = SpanId::from_hex(hex(16)?).map_err(|_| NoTraceparent)?;
        let flags = u8::from_str_radix(hex(2)?, 16).map_err(|_| NoTraceparent)?;
        let more = parts.next().is_some();
        if version == "ff" || (version == "00" && more) || trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
            return Err(NoTraceparent);
        }
        Ok(Self { trace_id, span_id, flags: TraceFlags::new(flags) & TraceFlags::SAMPLED })
    }
}

/// Ties a span that begins something here (a request, a job, a delivery) to the trace it came with,
/// or to a new one, and answers what is to be passed on. Call it before the span is entered.
pub fn start(span: &Span, parent: Option<TraceContext>) -> TraceContext {
    if let Some(parent) = parent {
        // Fails only where nothing is exported or the span is disabled.
        let _ = span.set_parent(parent.remote());
    }
    let exported = TraceContext::of_span(span.context().span().span_context());
    let context = exported.unwrap_or_else(|| parent.map_or_else(TraceContext::make, TraceContext::child));
    with_registry(|registry| {
        registry.span(&span.id()?)?.extensions_mut().replace(context);
        Some(())
    });
    context
}

/// The trace of the span that is entered now; none outside of any that was [`start`]ed.
pub fn current() -> Option<TraceContext> {
    let span = Span::current();
    if let Some(exported) = TraceContext::of_span(span.context().span().span_context()) {
        return Some(exported);
    }
    with_registry(|registry| {
        registry.span(&span.id()?)?.scope().find_map(|span| span.extensions().get::<TraceContext>().copied())
    })
}

/// Puts the current trace into the headers of a request that is about to be sent.
pub fn inject(headers: &mut HeaderMap) {
    if let Some(context) = current()
        && let Ok(value) = HeaderValue::from_str(&context.to_string())
    {
        headers.insert(TRACEPARENT, value);
    }
}

fn with_registry<T>(look: impl Fn(&Registry) -> Option<T>) -> Option<T> {
    dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Registry>().and_then(&look))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context: TraceContext = EXAMPLE.parse().expect("the standard's example");
        assert_eq!(context.to_string(), EXAMPLE);
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let later = EXAMPLE.replacen("00", "01", 1) + "-more";
        assert_eq!(later.parse(), Ok(context));
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(NoTraceparent), "{text}");
        }
    }

    #[test]
    fn a_trace_goes_on_from_its_parent_and_into_spans_inside_and_headers() {
        let parent: TraceContext = EXAMPLE.parse().expect("the standard's example");
        tracing::subscriber::with_default(Registry::default(), || {
            let span = tracing::info_span!("job");
            let passed_on = start(&span, Some(parent));
            assert_eq!(passed_on.trace_id(), parent.trace_id());
            assert_ne!(passed_on.span_id, parent.span_id);
            assert_eq!(current(), None);
            let _entered = span.entered();
            let _inner = tracing::info_span!("stage").entered();
            assert_eq!(current(), Some(passed_on));
            let mut headers = HeaderMap::new();
            inject(&mut headers);
            assert_eq!(TraceContext::from_headers(&headers), Some(passed_on));
        });
    }

    #[test]
    fn something_without_a_parent_begins_a_trace() {
        tracing::subscriber::with_default(Registry::default(), || {
            let (one, other) = (start(&tracing::info_span!("a"), None), start(&tracing::info_span!("b"), None));
            assert_ne!(one.trace_id(), other.trace_id());
            assert!(one.to_string().parse::<TraceContext>().is_ok());
        });
    }

    #[test]
    fn with_an_exporter_its_spans_are_what_is_passed_on() {
        use opentelemetry::trace::TracerProvider as _;
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let parent: TraceContext = EXAMPLE.parse().expect("the standard's example");
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            let span = tracing::info_span!("job");
            let passed_on = start(&span, Some(parent));
            assert_eq!(passed_on.trace_id(), parent.trace_id());
            let _entered = span.entered();
            let inner = tracing::info_span!("stage").entered();
            let inside = current().expect("a span is entered");
            assert_eq!(inside.trace_id(), parent.trace_id());
            assert_ne!(inside, passed_on, "the inner span is the parent of what is called inside it");
            drop(inner);
        });
    }
}
