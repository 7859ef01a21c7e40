//! The api as a caller sees it.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::documents::Document;

/// Longer than any wait that is asked for.
const WITHIN: Duration = Duration::from_secs(30);

/// A caller's view of the api: address and key.
#[derive(Clone, Debug)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Api {
    /// A caller with this key.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(url: &str, key: &str) -> reqwest::Result<Self> {
        shared::tls::install();
        let client =
            reqwest::Client::builder().no_proxy().timeout(WITHIN).connect_timeout(Duration::from_secs(3)).build()?;
        Ok(Self { client, url: url.to_owned(), key: key.to_owned() })
    }

    /// Submits; answers status and body.
    pub async fn submit(&self, document: &Document, number: u64, callback_url: &str) -> reqwest::Result<(u16, Value)> {
        let file = Part::bytes(document.bytes.clone()).file_name("a.pdf").mime_str("application/pdf")?;
        let form = Form::new()
            .part("file", file)
            .text("fio", document.fio.clone())
            .text("external_request_id", number.to_string())
            .text("callback_url", callback_url.to_owned());
        let request = self.client.post(format!("{}/v1/runs", self.url)).header("idempotency-key", format!("n{number}"));
        self.answer(request.multipart(form)).await
    }

    /// A run, now.
    pub async fn run(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        self.answer(self.client.get(format!("{}/v1/runs/{run_id}", self.url))).await
    }

    /// A run, as soon as it has finished or after 20 s.
    pub async fn finished(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        self.answer(self.client.get(format!("{}/v1/runs/{run_id}?wait=20", self.url))).await
    }

    /// Cancels a run.
    pub async fn cancel(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        self.answer(self.client.post(format!("{}/v1/runs/{run_id}/cancel", self.url))).await
    }

    /// Erases a run.
    pub async fn erase(&self, run_id: &str) -> reqwest::Result<(u16, Value)> {
        self.answer(self.client.delete(format!("{}/v1/runs/{run_id}", self.url))).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> reqwest::Result<(u16, Value)> {
        let answer = request.bearer_auth(&self.key).send().await?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}
