//! A small client of the contract's routes: submit a document, follow its run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;

/// The fields of a run that the demo shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Its id.
    pub run_id: String,
    /// `processing`, `success` or `error`.
    pub status: String,
    /// Whether all four checks hold.
    pub verdict: Option<bool>,
    /// Null until it has finished well.
    pub checks: Option<BTreeMap<String, Option<bool>>>,
    /// What was found in the document.
    pub extracted: Option<Extracted>,
    /// The first of its errors.
    pub error_code: Option<String>,
    /// Where it is.
    pub stage: Option<String>,
    /// Parts of its time.
    pub timings: Option<Timings>,
}

/// What was found in a document.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Extracted {
    /// The person's name.
    pub fio: Option<String>,
    /// Its date, ISO.
    pub doc_date: Option<String>,
    /// Its type.
    pub doc_type: Option<String>,
}

/// Parts of a run's time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// From submission to the end, in seconds.
    pub duration_seconds: Option<f64>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            run_id: String::new(),
            status: "processing".to_owned(),
            verdict: None,
            checks: None,
            extracted: None,
            error_code: None,
            stage: None,
            timings: None,
        }
    }
}

impl Run {
    /// Whether nothing more will happen to it.
    pub fn finished(&self) -> bool {
        self.status != "processing"
    }

    /// The value of a check by its name.
    pub fn check(&self, name: &str) -> Option<bool> {
        self.checks.as_ref()?.get(name).copied().flatten()
    }
}

/// A caller with its key.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

/// Longer than any single answer takes, also with `wait`.
const ANSWER: Duration = Duration::from_secs(90);

impl Client {
    /// A client of the api at `url`.
    ///
    /// # Errors
    /// Where no HTTP client can be made on this machine.
    pub fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        shared::tls::install();
        let http = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).build()?;
        Ok(Self { http, url: url.to_owned(), key: key.to_owned() })
    }

    /// Whether the api knows the key.
    ///
    /// # Errors
    /// Where the api cannot be asked.
    pub async fn key_is_known(&self) -> anyhow::Result<bool> {
        let answer = self.get("/v1/runs?limit=1").timeout(ANSWER).send().await?;
        Ok(answer.status() != StatusCode::UNAUTHORIZED)
    }

    /// Submits a document; waits where the api says that there is too much. Returns the run's id.
    ///
    /// # Errors
    /// Where the file cannot be read or the api refuses it.
    pub async fn submit(&self, file: &Path, fio: &str) -> anyhow::Result<String> {
        let name = file.file_name().context("a document has a name")?.to_string_lossy().into_owned();
        let bytes = tokio::fs::read(file).await.with_context(|| format!("cannot read {name}"))?;
        loop {
            let part = Part::bytes(bytes.clone()).file_name(name.clone()).mime_str("application/octet-stream")?;
            let form = Form::new().text("fio", fio.to_owned()).part("file", part);
            let request = self.http.post(format!("{}/v1/runs", self.url)).bearer_auth(&self.key).multipart(form);
            let answer = request.timeout(ANSWER).send().await?;
            match answer.status() {
                StatusCode::ACCEPTED => return Ok(answer.json::<Run>().await?.run_id),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    let pause = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    tokio::time::sleep(Duration::from_secs(pause.unwrap_or(1_u64).clamp(1, 60))).await;
                }
                status => bail!("{name} was refused with {status}: {}", answer.text().await.unwrap_or_default()),
            }
        }
    }

    /// Follows a run to its end; `moved` is called with each stage it comes to.
    ///
    /// A stream that breaks off is opened again; its first event says where the run is by then.
    ///
    /// # Errors
    /// Where the api refuses, or goes away for long.
    pub async fn follow(&self, run_id: &str, mut moved: impl FnMut(&str)) -> anyhow::Result<Run> {
        for _ in 0..20 {
            match self.events(run_id, &mut moved).await {
                Ok(Some(run)) => return Ok(run),
                Ok(None) => {}
                Err(error) if error.is_connect() || error.is_timeout() || error.is_body() || error.is_decode() => {}
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        bail!("the events of run {run_id} broke off too often");
    }

    async fn events(&self, run_id: &str, moved: &mut impl FnMut(&str)) -> reqwest::Result<Option<Run>> {
        let answer = self.get(&format!("/v1/runs/{run_id}/events")).send().await?.error_for_status()?;
        let mut body = answer.bytes_stream();
        let mut buffer = Vec::new();
        // A comment comes every 15 s: a silence of twice that is a lost connection.
        while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_secs(30), body.next()).await {
            buffer.extend_from_slice(&chunk?);
            while let Some(event) = next_event(&mut buffer) {
                if let Some(run) = seen(&event, moved) {
                    return Ok(Some(run));
                }
            }
        }
        Ok(None)
    }

    fn get(&self, route: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{route}", self.url)).bearer_auth(&self.key)
    }
}

/// One Server-Sent Event.
#[derive(Debug, Default, PartialEq)]
struct Event {
    name: String,
    data: String,
}

/// Takes the first whole event off the buffer.
fn next_event(buffer: &mut Vec<u8>) -> Option<Event> {
    let end = buffer.windows(2).position(|pair| pair == b"\n\n")?;
    let rest = buffer.split_off(end + 2);
    let text = String::from_utf8_lossy(&std::mem::replace(buffer, rest)).into_owned();
    let mut event = Event::default();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("event:") {
            event.name = name.trim().to_owned();
        } else if let Some(data) = line.strip_prefix("data:") {
            event.data.push_str(data.trim_start());
        }
    }
    Some(event)
}

#[derive(Deserialize)]
struct Stage {
    stage: Option<String>,
    state: Option<String>,
}

/// Tells of the stage an event speaks of; the run, where it is the last event.
fn seen(event: &Event, moved: &mut impl FnMut(&str)) -> Option<Run> {
    match event.name.as_str() {
        "run" => serde_json::from_str(&event.data).ok(),
        "snapshot" | "stage" => {
            let stage: Stage = serde_json::from_str(&event.data).ok()?;
            if stage.state.as_deref() != Some("ended") {
                moved(stage.stage.as_deref()?);
            }
            None
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_whole_and_in_order() {
        let mut buffer =
            b": comment\n\nevent: stage\ndata: {\"stage\": \"read\", \"state\": \"started\"}\n\nevent: ru".to_vec();
        assert_eq!(next_event(&mut buffer), Some(Event::default()));
        let stage = next_event(&mut buffer).expect("a whole event");
        let mut stages = Vec::new();
        assert!(seen(&stage, &mut |stage| stages.push(stage.to_owned())).is_none());
        assert_eq!(stages, ["read"]);
        assert_eq!(next_event(&mut buffer), None);
        buffer.extend_from_slice(b"n\ndata: {\"run_id\": \"r\", \"status\": \"error\"}\n\n");
        let run = seen(&next_event(&mut buffer).expect("a whole event"), &mut |_| {}).expect("the run");
        assert!(run.finished());
    }

    #[test]
    fn the_end_of_a_stage_is_not_a_move() {
        let event = Event { name: "stage".to_owned(), data: r#"{"stage": "read", "state": "ended"}"#.to_owned() };
        let mut moves = 0;
        assert!(seen(&event, &mut |_| moves += 1).is_none());
        assert_eq!(moves, 0);
    }
}
