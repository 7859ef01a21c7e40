//! The metrics over OTLP: what `/metrics` shows, read from the same counters and sent every
//! `OTEL_METRIC_EXPORT_INTERVAL` milliseconds (60,000 unless told), and once more at the end.
//! Nothing is counted twice for it: the SDK's own instruments are not used.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_sdk::Resource;
use prost::Message as _;

use super::client::OwnRuntimeClient;
use super::open_metrics;
use crate::telemetry::{Metrics, TelemetryError};

const EVERY: Duration = Duration::from_secs(60);

/// A thread that sends; it ends, with a last sending, when this is dropped.
#[derive(Debug)]
pub(super) struct Figures {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Figures {
    pub(super) fn start(base: &str, resource: &Resource, metrics: Metrics) -> Result<Self, TelemetryError> {
        let url = format!("{base}/v1/metrics");
        let failed = |error: &dyn std::error::Error| TelemetryError::Otlp(error.to_string());
        // A bad address is told at the start, not every minute.
        Request::post(&url).body(()).map_err(|error| failed(&error))?;
        let sending = Sending {
            url,
            headers: headers(std::env::var("OTEL_EXPORTER_OTLP_HEADERS").ok().as_deref()),
            resource: ResourceAttributesWithSchema::from(resource),
            began: SystemTime::now(),
            client: OwnRuntimeClient::new()?,
            metrics,
        };
        let every = std::env::var("OTEL_METRIC_EXPORT_INTERVAL").ok().and_then(|text| text.parse().ok());
        let every = every.map_or(EVERY, Duration::from_millis).max(Duration::from_millis(100));
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("otlp-metrics".into())
            .spawn(move || sending.keep(every, &stopped))
            .map_err(|error| failed(&error))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Figures {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // Its last call ends within the client's time.
            let _ = thread.join();
        }
    }
}

struct Sending {
    url: String,
    headers: HeaderMap,
    resource: ResourceAttributesWithSchema,
    began: SystemTime,
    client: OwnRuntimeClient,
    metrics: Metrics,
}

impl Sending {
    fn keep(self, every: Duration, stopped: &Receiver<()>) {
        // What the client does here is itself neither traced nor logged over OTLP.
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        let mut sent = true;
        loop {
            let last = !matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout));
            let now = self.send();
            // Once for each change: a collector may be away for days. It says so for traces and logs too,
            // which go the same way.
            match &now {
                Err(error) if sent => tracing::warn!(error, "telemetry cannot be sent to the collector"),
                Ok(()) if !sent => tracing::info!("telemetry is sent to the collector again"),
                _ => {}
            }
            sent = now.is_ok();
            if last {
                return;
            }
        }
    }

    fn send(&self) -> Result<(), String> {
        let metrics = open_metrics::read(&self.metrics.encode(), nanos(self.began), nanos(SystemTime::now()));
        let scope = ScopeMetrics { metrics, ..Default::default() };
        let resource = opentelemetry_proto::tonic::resource::v1::Resource {
            attributes: self.resource.attributes.0.clone(),
            ..Default::default()
        };
        let of_this = ResourceMetrics { resource: Some(resource), scope_metrics: vec![scope], ..Default::default() };
        let body = ExportMetricsServiceRequest { resource_metrics: vec![of_this] }.encode_to_vec();
        let mut request = Request::post(&self.url).body(Bytes::from(body)).map_err(|error| error.to_string())?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let answer = self.client.send(request).map_err(|_| "it cannot be reached".to_owned())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// `name=value,name=value`, as the SDK reads it for traces and logs. What is no header is left out.
fn headers(text: Option<&str>) -> HeaderMap {
    let pairs = text.unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(name, value)| {
            let name = name.trim().parse::<HeaderName>().ok()?;
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::headers;

    #[test]
    fn headers_for_the_collector_are_read_as_the_standard_writes_them() {
        let read = headers(Some("authorization=Basic YTpi, x-tenant = bank,nonsense,bad name=1"));
        assert_eq!((read["authorization"].as_bytes(), read["x-tenant"].as_bytes()), (&b"Basic YTpi"[..], &b"bank"[..]));
        assert_eq!(read.len(), 2);
        assert!(headers(None).is_empty());
    }
}
