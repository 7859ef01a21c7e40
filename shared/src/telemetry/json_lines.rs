//! Logs: one JSON object a line. Written by hand rather than by tracing-subscriber's own JSON
//! formatter, which formats every field of every span, whether a line is ever written inside it or
//! not; here a span costs nothing but the two ids that each line inside it carries.

use std::fmt;
use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::trace_context::TraceContext;

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTo {
    /// Of services.
    Stdout,
    /// Of the command line, whose answer is on stdout.
    Stderr,
}

impl LogTo {
    pub(super) fn write(self, line: &[u8]) {
        // A log that cannot be written has nobody to be told to.
        let _ = match self {
            Self::Stdout => std::io::stdout().lock().write_all(line),
            Self::Stderr => std::io::stderr().lock().write_all(line),
        };
    }
}

/// Hands each event's line to `write`; remembers of spans only `run_id`.
pub(super) struct JsonLines<W> {
    service: &'static str,
    write: W,
}

impl<W: Fn(&[u8]) + 'static> JsonLines<W> {
    pub(super) fn new(service: &'static str, write: W) -> Self {
        Self { service, write }
    }
}

/// The run that a span is about.
struct RunOfSpan(String);

struct RunIdOnly(Option<String>);

impl Visit for RunIdOnly {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "run_id" {
            self.0 = Some(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "run_id" {
            self.0 = Some(value.to_owned());
        }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().fields().field("run_id").is_none() {
            return;
        }
        let mut visitor = RunIdOnly(None);
        attributes.record(&mut visitor);
        if let (Some(run_id), Some(span)) = (visitor.0, context.span(id)) {
            span.extensions_mut().replace(RunOfSpan(run_id));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut visitor = RunIdOnly(None);
        values.record(&mut visitor);
        if let (Some(run_id), Some(span)) = (visitor.0, context.span(id)) {
            span.extensions_mut().replace(RunOfSpan(run_id));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        fields.text("timestamp", Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true));
        fields.text("level", event.metadata().level().as_str());
        fields.text("service", self.service);
        fields.text("target", event.metadata().target());
        event.record(&mut fields);
        let Fields(mut line) = fields;
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            if let (Some(RunOfSpan(run_id)), false) = (extensions.get(), line.contains_key("run_id")) {
                line.insert("run_id".into(), run_id.as_str().into());
            }
            if let (Some(trace), false) = (extensions.get::<TraceContext>(), line.contains_key("trace_id")) {
                line.insert("trace_id".into(), trace.trace_id().into());
            }
        }
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        (self.write)(&bytes);
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn text(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.text(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.text(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.text(field.name(), text);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::start;
    use super::*;

    fn lines(work: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&written);
        let write = move |line: &[u8]| sink.lock().expect("no panic").extend_from_slice(line);
        tracing::subscriber::with_default(Registry::default().with(JsonLines::new("test", write)), work);
        let written = written.lock().expect("no panic").clone();
        let text = String::from_utf8(written).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    }

    #[test]
    fn a_line_inside_a_run_carries_its_ids() {
        let mut trace_id = String::new();
        let lines = lines(|| {
            let run = tracing::info_span!("run", run_id = %"019ab0c4", fio = "nobody");
            trace_id = start(&run, None).trace_id();
            run.in_scope(|| tracing::info_span!("stage").in_scope(|| tracing::info!(pages = 2, "read")));
            tracing::warn!("outside");
        });
        assert_eq!(lines[0]["run_id"], "019ab0c4");
        assert_eq!(lines[0]["trace_id"], trace_id);
        assert_eq!((&lines[0]["pages"], &lines[0]["message"]), (&2.into(), &"read".into()));
        assert_eq!(lines[0]["service"], "test");
        assert_eq!(lines[0].get("fio"), None, "other fields of a span are not written");
        assert_eq!(lines[1]["level"], "WARN");
        assert_eq!((lines[1].get("run_id"), lines[1].get("trace_id")), (None, None));
    }

    #[test]
    fn a_run_id_may_be_recorded_later() {
        let lines = lines(|| {
            let span = tracing::info_span!("submission", run_id = tracing::field::Empty);
            span.record("run_id", "019ab0c5");
            span.in_scope(|| tracing::info!("a text with \"quotes\"\nand lines"));
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["run_id"], "019ab0c5");
    }
}
