//! Traces over OTLP/HTTP. The SDK's batch processor has a thread of its own, without a runtime; the
//! client here brings one, so that neither a blocking client nor the worker's runtime is needed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::{Builder, Runtime};

use super::TelemetryError;

const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES: u64 = 64 * 1024;

/// Sends spans in batches; sends the rest when dropped. Sampling follows `OTEL_TRACES_SAMPLER`, batches
/// follow `OTEL_BSP_…`: standard variables that the SDK reads itself.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn new(service_name: &'static str, base: &str) -> Result<Self, TelemetryError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(OwnRuntimeClient::new()?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", base.trim_end_matches('/')))
            .with_timeout(CALL_TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Otlp(error.to_string()))?;
        let resource = Resource::builder().with_service_name(service_name).build();
        Ok(Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("rb-ocr")
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // What cannot be sent now is lost: an exporter must not keep a process from ending.
        let _ = self.0.shutdown_with_timeout(FLUSH_TIMEOUT);
    }
}

#[derive(Debug)]
struct OwnRuntimeClient {
    client: reqwest::Client,
    /// Taken out only by `drop`.
    runtime: Option<Runtime>,
}

impl OwnRuntimeClient {
    fn new() -> Result<Self, TelemetryError> {
        crate::tls::install();
        let failed = |error: &dyn std::error::Error| TelemetryError::Otlp(error.to_string());
        let client = reqwest::Client::builder().timeout(CALL_TIMEOUT).build().map_err(|e| failed(&e))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        Ok(Self { client, runtime: Some(runtime) })
    }
}

#[async_trait]
impl HttpClient for OwnRuntimeClient {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let runtime = self.runtime.as_ref().ok_or("the exporter has ended")?;
        // The caller is the batch thread, which does nothing else meanwhile.
        runtime.block_on(async {
            let mut answer = self.client.execute(request.try_into()?).await?;
            let mut response = http::Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if (body.len() + chunk.len()) as u64 > ANSWER_BYTES {
                    return Err("the collector's answer is too long".into());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(response.body(body.into())?)
        })
    }
}

impl Drop for OwnRuntimeClient {
    fn drop(&mut self) {
        // A runtime may not be waited for inside another one, and `main`'s may be where this ends.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[tokio::test]
    async fn spans_are_sent_at_the_latest_when_the_process_ends() {
        let collector = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}/", collector.local_addr().expect("bound"));
        let received = std::thread::spawn(move || {
            let (mut connection, _) = collector.accept().expect("the exporter calls");
            let mut request = Vec::new();
            while !request.windows(8).any(|part| part == b"the_span") {
                let mut part = [0; 4096];
                let read = connection.read(&mut part).expect("bytes come");
                assert!(read > 0, "the span's name came before the end");
                request.extend_from_slice(&part[..read]);
            }
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("it listens");
            request
        });
        let traces = Traces::new("test", &base).expect("a good endpoint");
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer());
        tracing::subscriber::with_default(tracing_subscriber::Registry::default().with(layer), || {
            tracing::info_span!("the_span").in_scope(|| {});
        });
        drop(traces);
        let request = received.join().expect("the collector saw a span");
        assert!(request.starts_with(b"POST /v1/traces HTTP/1.1"));
    }
}
