//! The api as a caller sees it.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::documents::Document;
use crate::caller::Caller;

/// Longer than any wait that is asked for.
const WITHIN: Duration = Duration::from_secs(30);

/// A caller whose requests may fail.
#[derive(Clone, Debug)]
pub struct Api(Caller);

impl Api {
    /// A caller with this key.
    pub fn new(url: &str, key: &str) -> Self {
        Self(Caller::new(url, key))
    }

    /// Submits; answers status and body.
    pub async fn submit(&self, document: &Document, number: u64, callback_url: &str) -> reqwest::Result<(u16, Value)> {
        let file = Part::bytes(document.bytes.clone()).file_name("a.pdf").mime_str("application/pdf")?;
        let form = Form::new()
            .part("file", file)
            .text("fio", document.fio.clone())
            .text("external_request_id", number.to_string())
            .text("callback_url", callback_url.to_owned());
        answer(self.0.post("/v1/runs").header("idempotency-key", format!("n{number}")).multipart(form)).await
    }

    /// A run, now.
    pub async fn run(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        answer(self.0.get(&format!("/v1/runs/{run_id}"))).await
    }

    /// A run, as soon as it has finished or after 20 s.
    pub async fn finished(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        answer(self.0.get(&format!("/v1/runs/{run_id}?wait=20"))).await
    }

    /// Cancels a run.
    pub async fn cancel(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        answer(self.0.post(&format!("/v1/runs/{run_id}/cancel"))).await
    }

    /// Erases a run.
    pub async fn erase(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        answer(self.0.delete(&format!("/v1/runs/{run_id}"))).await
    }
}

async fn answer(request: RequestBuilder) -> reqwest::Result<(u16, Value)> {
    let answer = request.timeout(WITHIN).send().await?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
