//! A collector: takes traces, logs and metrics as OTLP's protobuf over HTTP, and keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tokio::sync::watch;

use super::Running;

/// Attributes as text, by name.
pub type Attributes = BTreeMap<String, String>;

/// One span as it came.
#[derive(Clone, Debug)]
pub struct Span {
    /// `service.name` of its process.
    pub service: String,
    /// Its name.
    pub name: String,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span it came from; empty for the first of a trace.
    pub parent: String,
    /// What is said of it.
    pub attributes: Attributes,
}

/// One record of a log as it came.
#[derive(Clone, Debug)]
pub struct Record {
    /// `service.name` of its process.
    pub service: String,
    /// Its message.
    pub body: String,
    /// 32 hexadecimal digits; empty outside of any trace.
    pub trace_id: String,
    /// Its fields.
    pub attributes: Attributes,
}

/// All that came so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// In the order of their ends.
    pub spans: Vec<Span>,
    /// In their order.
    pub records: Vec<Record>,
    /// The newest of each process, by `service.instance.id`.
    pub metrics: BTreeMap<String, (String, Vec<Metric>)>,
    /// Every body, as it came.
    pub bodies: Vec<Bytes>,
}

impl Seen {
    /// The names of all metrics of a service.
    pub fn metric_names(&self, service: &str) -> Vec<&str> {
        let of_service = self.metrics.values().filter(|(name, _)| name == service);
        of_service.flat_map(|(_, metrics)| metrics).map(|metric| metric.name.as_str()).collect()
    }
}

type Shared = Arc<watch::Sender<Seen>>;

/// The collector.
#[derive(Debug)]
pub struct Collector {
    running: Running,
    seen: Shared,
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let seen: Shared = Arc::new(watch::channel(Seen::default()).0);
        let routes = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/logs", post(logs))
            .route("/v1/metrics", post(metrics))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&seen));
        Self { running: Running::start(routes).await, seen }
    }

    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn base_url(&self) -> String {
        self.running.url()
    }

    /// What came, as soon as it holds.
    pub async fn wait_for(&self, holds: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| holds(seen)).await.expect("the server lives as long as this").clone()
    }

    /// What came so far.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }
}

async fn traces(State(seen): State<Shared>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    seen.send_modify(|seen| {
        seen.bodies.push(body);
        for of_process in request.resource_spans {
            let service = resource(of_process.resource.as_ref(), "service.name");
            for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                seen.spans.push(Span {
                    service: service.clone(),
                    name: span.name,
                    trace_id: hex(&span.trace_id),
                    span_id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    attributes: attributes(&span.attributes),
                });
            }
        }
    });
    StatusCode::OK
}

async fn logs(State(seen): State<Shared>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportLogsServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    seen.send_modify(|seen| {
        seen.bodies.push(body);
        for of_process in request.resource_logs {
            let service = resource(of_process.resource.as_ref(), "service.name");
            for record in of_process.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                seen.records.push(Record {
                    service: service.clone(),
                    body: text(record.body.as_ref()),
                    trace_id: hex(&record.trace_id),
                    attributes: attributes(&record.attributes),
                });
            }
        }
    });
    StatusCode::OK
}

async fn metrics(State(seen): State<Shared>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    seen.send_modify(|seen| {
        seen.bodies.push(body);
        for of_process in request.resource_metrics {
            let named = |name| resource(of_process.resource.as_ref(), name);
            let (service, instance) = (named("service.name"), named("service.instance.id"));
            let metrics = of_process.scope_metrics.into_iter().flat_map(|scope| scope.metrics).collect();
            seen.metrics.insert(instance, (service, metrics));
        }
    });
    StatusCode::OK
}

fn resource(resource: Option<&Resource>, name: &str) -> String {
    resource.and_then(|resource| attributes(&resource.attributes).remove(name)).unwrap_or_default()
}

fn attributes(pairs: &[KeyValue]) -> Attributes {
    pairs.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(truth)) => truth.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        None => String::new(),
        Some(other) => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
