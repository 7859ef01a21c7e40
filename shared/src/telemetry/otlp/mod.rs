//! OTLP over HTTP: traces, logs and metrics to one collector, `{endpoint}/v1/traces`, `/v1/logs` and
//! `/v1/metrics`. Each has a thread of its own and sends what is left when the process ends.
//!
//! Sampling follows `OTEL_TRACES_SAMPLER`, batches `OTEL_BSP_…` and `OTEL_BLRP_…`, further headers
//! `OTEL_EXPORTER_OTLP_HEADERS`: standard variables that the SDK reads itself.

mod client;
mod figures;
mod open_metrics;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::{OpenTelemetryTracingBridge, TracingSpanAttributes};
use opentelemetry_otlp::{LogExporter, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::{Metrics, TelemetryError};
use client::{CALL_TIMEOUT, OwnRuntimeClient};
use figures::Figures;

const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to the collector.
#[derive(Debug)]
pub(super) struct Otlp {
    base: String,
    resource: Resource,
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
    figures: Option<Figures>,
}

impl Otlp {
    pub(super) fn new(service_name: &'static str, base: &str) -> Result<Self, TelemetryError> {
        let base = base.trim_end_matches('/').to_owned();
        // Processes of one name are told apart, or their counters would be taken for one another's.
        let instance = uuid::Uuid::new_v4().to_string();
        let resource = Resource::builder()
            .with_service_name(service_name)
            .with_attribute(KeyValue::new("service.instance.id", instance))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let failed = |error: &dyn std::error::Error| TelemetryError::Otlp(error.to_string());
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(OwnRuntimeClient::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .with_timeout(CALL_TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        let records = LogExporter::builder()
            .with_http()
            .with_http_client(OwnRuntimeClient::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/logs"))
            .with_timeout(CALL_TIMEOUT)
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            traces: SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans).build(),
            logs: SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(records).build(),
            figures: None,
            base,
            resource,
        })
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.traces.tracer("rb-ocr")
    }

    /// Sends each line of the log too. The trace of a record is that of the span it was written in.
    pub(super) fn log_layer(&self) -> OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger> {
        OpenTelemetryTracingBridge::builder(&self.logs)
            .with_tracing_span_attributes(TracingSpanAttributes::allowlist(["run_id"]))
            .build()
    }

    /// Sends these metrics from now on.
    pub(super) fn send(&mut self, metrics: Metrics) -> Result<(), TelemetryError> {
        self.figures = Some(Figures::start(&self.base, &self.resource, metrics)?);
        Ok(())
    }
}

impl Drop for Otlp {
    fn drop(&mut self) {
        // What cannot be sent now is lost: an exporter must not keep a process from ending.
        self.figures = None;
        let _ = self.traces.shutdown_with_timeout(FLUSH_TIMEOUT);
        let _ = self.logs.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

#[cfg(test)]
mod tests;
