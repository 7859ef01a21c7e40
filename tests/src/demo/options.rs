//! What a caller may change about the demo, by environment variables.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::process::Environment;

/// The settings of one demo.
#[derive(Debug)]
pub struct Options {
    /// The folder with documents and their truth.jsonl: `DOCS`.
    pub documents: PathBuf,
    /// Whether the services stay up after the table: `STAY`, yes unless it is `0`.
    pub stay: bool,
    /// The folder for the demo's key and logs.
    pub place: PathBuf,
    /// What api, workers and command line get.
    pub environment: Environment,
}

/// Settings of the services that are handed on when the caller has them.
const HANDED_ON: [&str; 19] = [
    "DATABASE_URL",
    "AMQP_URL",
    "STORAGE_URL",
    "SECRETS_KEY",
    "API_LISTEN",
    "WORKER_CONCURRENCY",
    "OCR_PROCESSES",
    "OCR_ENGINE",
    "OCR_BASE_URL",
    "ANALYZER",
    "LLM_BASE_URL",
    "LLM_API_KEY",
    "LLM_MODEL",
    "LLM_MAX_TOKENS",
    "LLM_RESPONSE_FORMAT",
    "LLM_PRICE",
    "CALLBACK_ALLOW_HOSTS",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "RUST_LOG",
];

/// The day for which the sample documents were made.
const SAMPLES_AS_OF: &str = "2026-11-22";

impl Options {
    /// Reads them from the process's environment.
    ///
    /// # Errors
    /// Where the folder has no truth.jsonl.
    pub fn from_environment() -> anyhow::Result<Self> {
        let checkout = crate::services::checkout();
        let documents = match std::env::var_os("DOCS").filter(|folder| !folder.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => checkout.join("tests/documents"),
        };
        ensure!(
            documents.join("truth.jsonl").is_file(),
            "{} has no truth.jsonl (tests/documents/README.md says what is in it)",
            documents.display()
        );
        let place = checkout.join(".local/demo");
        std::fs::create_dir_all(&place).with_context(|| format!("cannot write in {}", place.display()))?;
        let as_of = std::env::var("JUDGE_AS_OF").ok().filter(|day| !day.is_empty());
        let mut environment = Environment::new().with("JUDGE_AS_OF", as_of.unwrap_or_else(|| SAMPLES_AS_OF.to_owned()));
        for name in HANDED_ON {
            if let Ok(value) = std::env::var(name) {
                environment = environment.with(name, value);
            }
        }
        let stay = std::env::var("STAY").is_ok_and(|stay| stay == "0");
        Ok(Self { documents, stay: !stay, place, environment })
    }
}
