//! How a process tells the world what it does: one JSON line for each event worth one, metrics for
//! Prometheus, and where an endpoint is set traces and the same logs and metrics over OTLP.
//!
//! No line, span or label ever holds a name, an IIN or text of a document: fields are ids, counts,
//! durations and words of the contract.

mod json_lines;
mod labels;
mod metrics;
mod otlp;
mod trace_context;

pub use json_lines::LogTo;
pub use labels::{Breaker, Outcome, OutsideCall, Relayed, method_label, outcome};
pub use metrics::{CONTENT_TYPE, Described, Metrics};
pub use trace_context::{NoTraceparent, TRACEPARENT, TraceContext, current, inject, start};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use crate::settings::Settings;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The OTLP endpoint cannot be used.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: {0}")]
    Otlp(String),
    /// It was set up before in this process.
    #[error("telemetry was set up before")]
    Twice,
}

/// Sends what is still held back when it is dropped: keep it to the end of `main`.
#[derive(Debug)]
#[must_use = "what was not sent yet is lost with it"]
pub struct Guard {
    otlp: Option<otlp::Otlp>,
}

impl Guard {
    /// Sends these metrics over OTLP too, where an endpoint is set.
    ///
    /// # Errors
    /// The endpoint cannot be used.
    pub fn send(&mut self, metrics: &Metrics) -> Result<(), TelemetryError> {
        self.otlp.as_mut().map_or(Ok(()), |otlp| otlp.send(metrics.clone()))
    }
}

/// Sets up logs and traces of this process; `RUST_LOG` says how much is logged (`info` unless told). Spans
/// that carry a run or a trace are of level `ERROR`, so that a log of few words keeps their ids. Without
/// an OTLP endpoint a span costs its place in the registry and no more. Must be called inside no span.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(service_name: &'static str, settings: &Settings, log_to: LogTo) -> Result<Guard, TelemetryError> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let otlp = settings.otlp_endpoint.as_deref().map(|base| otlp::Otlp::new(service_name, base)).transpose()?;
    let spans = otlp.as_ref().map(|otlp| tracing_opentelemetry::layer().with_tracer(otlp.tracer()));
    let records = otlp.as_ref().map(otlp::Otlp::log_layer);
    Registry::default()
        .with(filter)
        .with(json_lines::JsonLines::new(service_name, move |line: &[u8]| log_to.write(line)))
        .with(spans)
        .with(records)
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    Ok(Guard { otlp })
}
