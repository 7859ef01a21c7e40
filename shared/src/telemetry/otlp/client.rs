//! The HTTP client of the exporters. The SDK's batch processors have threads of their own, without a
//! runtime; this client brings one, so that neither a blocking client nor the worker's runtime is needed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::{Builder, Runtime};

use crate::telemetry::TelemetryError;

/// Longer than this no collector is waited for.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES: usize = 64 * 1024;

/// Calls the collector from a thread that does nothing else.
#[derive(Debug)]
pub(super) struct OwnRuntimeClient {
    client: reqwest::Client,
    /// Taken out only by `drop`.
    runtime: Option<Runtime>,
}

impl OwnRuntimeClient {
    pub(super) fn new() -> Result<Self, TelemetryError> {
        crate::tls::install();
        let failed = |error: &dyn std::error::Error| TelemetryError::Otlp(error.to_string());
        let client = reqwest::Client::builder().timeout(CALL_TIMEOUT).build().map_err(|e| failed(&e))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        Ok(Self { client, runtime: Some(runtime) })
    }

    /// Sends a request and waits for its answer, whatever its status. Not to be called inside a runtime.
    pub(super) fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let runtime = self.runtime.as_ref().ok_or("the exporter has ended")?;
        runtime.block_on(async {
            let mut answer = self.client.execute(request.try_into()?).await?;
            let mut response = http::Response::builder().status(answer.status());
            if let Some(headers) = response.headers_mut() {
                headers.clone_from(answer.headers());
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > ANSWER_BYTES {
                    return Err("the collector's answer is too long".into());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(response.body(body.into())?)
        })
    }
}

#[async_trait]
impl HttpClient for OwnRuntimeClient {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        // The caller is a batch thread, which does nothing else meanwhile.
        self.send(request)
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
