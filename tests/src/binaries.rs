//! The real api and workers as child processes of a test or of the demo.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{Environment, Process};
use crate::services::{Database, Queues, Services};

/// How long a start may take on a busy machine; a limit, not an expectation.
const READY: Duration = Duration::from_secs(60);

/// How often readiness is asked for.
const ASK: Duration = Duration::from_millis(25);

/// The file of a binary of the workspace, beside the running executable.
///
/// # Errors
/// Where it has not been built.
pub fn path(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Tests run from target/PROFILE/deps, binaries from target/PROFILE.
    let found = own.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is not built: run `cargo build --workspace --bins` (`make test` does)"))
}

/// The settings that a test's binaries share: its database, its queues, its folder of documents.
pub fn environment(database: &Database, queues: &Queues, documents: &Path) -> Environment {
    Environment::new()
        .with("DATABASE_URL", database.url())
        .with("AMQP_URL", Services::get().amqp_url.as_str())
        .with("QUEUE_PREFIX", queues.prefix())
        .with("STORAGE_URL", format!("file://{}", documents.display()))
        .with("SECRETS_KEY", "dGVzdHMgb25seTogMzIgYnl0ZXMgdGhhdCBhcmUga24=")
        .with("JUDGE_AS_OF", "2026-11-22")
}

/// A port of the loopback address that was free a moment ago.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Runs the command line `rb-ocr` to its end.
///
/// # Errors
/// Where it is not built or fails; the error holds what it said.
pub async fn command_line(arguments: &[&str], environment: &Environment) -> anyhow::Result<Output> {
    let output = command_output(arguments, environment).await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`rb-ocr {}` failed: {}", arguments.first().unwrap_or(&""), said.trim());
    }
    Ok(output)
}

/// The same, also where it fails: what it printed and its exit status.
///
/// # Errors
/// Where it is not built or does not end.
pub async fn command_output(arguments: &[&str], environment: &Environment) -> anyhow::Result<Output> {
    let mut command = tokio::process::Command::new(path("rb-ocr")?);
    command.args(arguments).env_clear().kill_on_drop(true);
    for name in ["PATH", "HOME", "LANG"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for (name, value) in environment.iter() {
        command.env(name, value);
    }
    Ok(tokio::time::timeout(READY, command.output()).await.context("rb-ocr does not end")??)
}

/// A running server: `rb-ocr-api` or `rb-ocr-worker`.
#[derive(Debug)]
pub struct Server {
    /// The child.
    pub process: Process,
    /// Where it listens: the api's routes, or a worker's health and metrics.
    pub address: SocketAddr,
}

impl Server {
    /// Starts an api and waits until it is ready.
    ///
    /// # Errors
    /// Where it is not built, ends, or is not ready in time; with its last lines.
    pub async fn api(environment: &Environment, log: &Path) -> anyhow::Result<Self> {
        Self::ready("rb-ocr-api", "API_LISTEN", environment, log).await
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Errors
    /// As [`Server::api`].
    pub async fn worker(environment: &Environment, log: &Path) -> anyhow::Result<Self> {
        Self::ready("rb-ocr-worker", "WORKER_LISTEN", environment, log).await
    }

    /// Starts a server without waiting for it: for tests of a start whose services are down.
    ///
    /// # Errors
    /// Where it is not built or cannot be started.
    pub fn start(binary: &str, setting: &str, environment: &Environment, log: &Path) -> anyhow::Result<Self> {
        let address: SocketAddr = match environment.get(setting) {
            Some(address) => address.parse().with_context(|| format!("{setting} is not an address"))?,
            None => (Ipv4Addr::LOCALHOST, free_port()?).into(),
        };
        let environment = environment.clone().with(setting, address.to_string());
        let process = Process::start(&path(binary)?, &[], &environment, log)?;
        Ok(Self { process, address })
    }

    async fn ready(binary: &str, setting: &str, environment: &Environment, log: &Path) -> anyhow::Result<Self> {
        // Somebody else may take the port between our look and the bind: then there is another.
        for _ in 0..3 {
            let mut server = Self::start(binary, setting, environment, log)?;
            if server.becomes_ready().await? {
                return Ok(server);
            }
            let tail = server.process.log_tail(20);
            if environment.get(setting).is_some() || !tail.to_lowercase().contains("in use") {
                bail!("{binary} ended while starting:\n{tail}");
            }
        }
        bail!("{binary} found no free port");
    }

    /// Waits for `/readyz`; false when the process has ended.
    async fn becomes_ready(&mut self) -> anyhow::Result<bool> {
        let end = tokio::time::Instant::now() + READY;
        while self.process.ended().is_none() {
            if self.status("/readyz").await == Some(200) {
                return Ok(true);
            }
            if tokio::time::Instant::now() >= end {
                bail!("{} is not ready after {} s:\n{}", self.address, READY.as_secs(), self.process.log_tail(20));
            }
            tokio::time::sleep(ASK).await;
        }
        Ok(false)
    }

    /// The HTTP status of a GET without credentials, `None` where nobody answers.
    pub async fn status(&self, route: &str) -> Option<u16> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let exchange = async {
            let mut stream = tokio::net::TcpStream::connect(self.address).await.ok()?;
            let request = format!("GET {route} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
            stream.write_all(request.as_bytes()).await.ok()?;
            // All of it, so that the server does not meet a closed connection.
            let mut answer = Vec::new();
            stream.take(65_536).read_to_end(&mut answer).await.ok()?;
            std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
        };
        tokio::time::timeout(Duration::from_secs(5), exchange).await.ok().flatten()
    }

    /// `http://ADDRESS`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
