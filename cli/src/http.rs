//! The api, for commands that are a caller of it: `RB_OCR_URL` and `RB_OCR_KEY`.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

/// How long an answer may take: longer than the api waits for a run at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// A caller of the api.
pub struct Api {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Api {
    /// As the environment has it.
    ///
    /// # Errors
    /// There is no key, or the address is none.
    pub fn from_env() -> anyhow::Result<Self> {
        // An empty value counts as not set, as everywhere.
        let given = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let url = given("RB_OCR_URL").unwrap_or_else(|| "http://127.0.0.1:8080".into());
        if !url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            bail!("RB_OCR_URL must be an http or https address");
        }
        let key = given("RB_OCR_KEY").context("RB_OCR_KEY is not set: `rb-ocr keys create` makes a key")?;
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key })
    }

    /// A GET.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }
}

/// Sends a request; answers its JSON.
///
/// # Errors
/// The api cannot be reached, or refuses; then its own words are told.
pub async fn answer(request: RequestBuilder) -> anyhow::Result<Value> {
    let response = request.send().await.context("the api cannot be reached")?;
    let status = response.status();
    if status.is_success() {
        return response.json().await.context("the api's answer is no JSON");
    }
    bail!("{}", refusal(status, response).await)
}

async fn refusal(status: reqwest::StatusCode, response: Response) -> String {
    let problem: Value = response.json().await.unwrap_or_default();
    let word = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let mut text = format!("the api answered {status}: {} {}", word("code"), word("detail"));
    for fault in problem["errors"].as_array().into_iter().flatten() {
        let part = |name: &str| fault[name].as_str().unwrap_or_default();
        text.push_str(&format!("\n  {} {}", part("field"), part("message")));
    }
    text
}
