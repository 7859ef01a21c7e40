//! An api and a worker that tell a collector of themselves.

use std::path::{Path, PathBuf};

use harness::binaries::{Server, command_line, environment};
use harness::process::Environment;
use harness::services::{Database, Queues};
use harness::standins::otlp::Collector;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

/// The system and what it tells.
pub struct Rig {
    pub api: Server,
    pub worker: Option<Server>,
    pub collector: Collector,
    pub key: String,
    pub http: reqwest::Client,
    pub queues: Queues,
    environment: Environment,
    folder: tempfile::TempDir,
    _database: Database,
}

/// One document to submit.
pub struct Submission<'a> {
    pub file: Vec<u8>,
    pub filename: &'a str,
    pub fields: Vec<(&'static str, String)>,
    pub traceparent: Option<&'a str>,
}

impl Rig {
    /// An api, and no worker yet. `settings` are both processes'.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        shared::tls::install();
        let (database, queues, collector) = (Database::fresh().await, Queues::fresh(), Collector::start().await);
        let folder = tempfile::tempdir().expect("a folder");
        let mut environment = environment(&database, &queues, &folder.path().join("documents"))
            .with("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base_url())
            .with("OTEL_BSP_SCHEDULE_DELAY", "100")
            .with("OTEL_BLRP_SCHEDULE_DELAY", "100")
            .with("OTEL_METRIC_EXPORT_INTERVAL", "100")
            .with("CALLBACK_ALLOW_HOSTS", "127.0.0.1");
        for (name, value) in settings {
            environment = environment.with(name, *value);
        }
        let arguments = ["keys", "create", "--name", "bank", "--scopes", "submit,read,admin", "--json"];
        let made = command_line(&arguments, &environment).await.expect("a key is made");
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let api = Server::api(&environment, &log(folder.path(), "api")).await.expect("the api starts");
        Self {
            api,
            worker: None,
            collector,
            key: made["key"].as_str().expect("a key").to_owned(),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            queues,
            environment,
            folder,
            _database: database,
        }
    }

    /// Starts the worker.
    pub async fn with_worker(mut self) -> Self {
        let log = log(self.folder.path(), "worker");
        self.worker = Some(Server::worker(&self.environment, &log).await.expect("the worker starts"));
        self
    }

    /// Submits, and answers the whole of what came back.
    pub async fn submit(&self, submission: Submission<'_>) -> (u16, Value) {
        let part = Part::bytes(submission.file).file_name(submission.filename.to_owned());
        let mut form = Form::new();
        for (name, value) in submission.fields {
            form = form.text(name, value);
        }
        let request = self.http.post(format!("{}/v1/runs", self.api.url())).bearer_auth(&self.key);
        let request = match submission.traceparent {
            Some(traceparent) => request.header("traceparent", traceparent),
            None => request,
        };
        let answer = request.multipart(form.part("file", part)).send().await.expect("the api answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// The run once it has finished.
    pub async fn finished(&self, run_id: &str) -> Value {
        loop {
            let run = self.get(&format!("/v1/runs/{run_id}?wait=30")).await;
            if run["status"] != "processing" {
                return run;
            }
        }
    }

    /// What a route answers.
    pub async fn get(&self, route: &str) -> Value {
        let request = self.http.get(format!("{}{route}", self.api.url())).bearer_auth(&self.key);
        request.send().await.expect("the api answers").json().await.expect("JSON")
    }

    /// `/metrics` of both processes.
    pub async fn metrics(&self) -> [String; 2] {
        let worker = self.worker.as_ref().expect("a worker runs").url();
        let mut texts = [String::new(), String::new()];
        for (text, url) in texts.iter_mut().zip([self.api.url(), worker]) {
            let answer = self.http.get(format!("{url}/metrics")).send().await.expect("it answers");
            *text = answer.text().await.expect("text");
        }
        texts
    }

    /// The lines of both logs.
    pub fn log_lines(&self) -> Vec<String> {
        let worker = self.worker.as_ref().map(|worker| worker.process.log()).unwrap_or_default();
        (self.api.process.log() + &worker).lines().map(str::to_owned).collect()
    }
}

fn log(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}
