//! How a process tells the world what it does: one JSON line for each event worth one, traces over
//! OTLP where an endpoint is set, metrics for Prometheus.
//!
//! No line, span or label ever holds a name, an IIN or text of a document: fields are ids, counts,
//! durations and words of the contract.

mod json_lines;
mod labels;
mod metrics;
mod otlp;
mod trace_context;

pub use json_lines::LogTo;
pub use labels::{Breaker, Outcome, OutsideCall, Relayed, outcome};
pub use metrics::{CONTENT_TYPE, Metrics};
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
#[must_use = "spans that were not sent yet are lost with it"]
pub struct Guard {
    _traces: Option<otlp::Traces>,
}

/// Sets up logs and traces of this process; `RUST_LOG` says how much (`info` unless told). Without an
/// OTLP endpoint a span costs its place in the registry and no more. Must be called inside no span.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(service_name: &'static str, settings: &Settings, log_to: LogTo) -> Result<Guard, TelemetryError> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    let traces = settings.otlp_endpoint.as_deref().map(|base| otlp::Traces::new(service_name, base)).transpose()?;
    let spans = traces.as_ref().map(|traces| tracing_opentelemetry::layer().with_tracer(traces.tracer()));
    Registry::default()
        .with(filter)
        .with(json_lines::JsonLines::new(service_name, move |line: &[u8]| log_to.write(line)))
        .with(spans)
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    Ok(Guard { _traces: traces })
}
