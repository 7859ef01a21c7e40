//! The demo's own api and two workers on the private services.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use super::client::Client;
use super::options::Options;
use crate::binaries::{Server, command_line, free_port};

/// Workers get this long to give back their work (`SHUTDOWN_SECONDS` is 30), then they are killed.
const STOP: Duration = Duration::from_secs(35);

/// The port of the api where nobody else has it.
const PORT: u16 = 8080;

/// The running demo.
#[derive(Debug)]
pub struct Stack {
    api: Server,
    workers: Vec<Server>,
    /// The api's URL.
    pub url: String,
    /// A key with the scopes submit, read and admin.
    pub key: String,
    /// Whether the port is another than usual because somebody has that.
    pub moved: bool,
}

#[derive(Deserialize)]
struct NewKey {
    key: String,
}

impl Stack {
    /// Migrates, starts one api and two workers, and has a key.
    ///
    /// # Errors
    /// Where a binary is missing or does not become ready; with its last lines.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        command_line(&["migrate", "--json"], &options.environment).await?;
        let mut environment = options.environment.clone();
        let mut moved = false;
        if let Some(asked) = environment.get("API_LISTEN") {
            TcpListener::bind(asked).with_context(|| {
                format!("API_LISTEN={asked} cannot be listened on: stop the program that does, or choose another port")
            })?;
        } else {
            let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).is_ok();
            let port = if usual { PORT } else { free_port()? };
            moved = !usual;
            environment = environment.with("API_LISTEN", format!("127.0.0.1:{port}"));
        }
        let api = Server::api(&environment, &log(options, "api")).await?;
        let (first, second) = (log(options, "worker-1"), log(options, "worker-2"));
        let (first, second) =
            tokio::try_join!(Server::worker(&environment, &first), Server::worker(&environment, &second))?;
        let url = api.url();
        let key = key(options, &url).await?;
        Ok(Self { api, workers: vec![first, second], url, key, moved })
    }

    /// The name of a process that has ended by itself, if one has.
    pub fn fallen(&mut self) -> Option<String> {
        let names = ["rb-ocr-api", "the first rb-ocr-worker", "the second rb-ocr-worker"];
        std::iter::once(&mut self.api)
            .chain(&mut self.workers)
            .zip(names)
            .find_map(|(server, name)| server.process.ended().map(|status| format!("{name} has ended with {status}")))
    }

    /// Stops all three in order: workers give back what they hold, then the api goes.
    pub async fn stop(mut self) {
        for worker in &mut self.workers {
            worker.process.signal(libc::SIGTERM);
        }
        self.api.process.signal(libc::SIGTERM);
        for server in self.workers.iter_mut().chain([&mut self.api]) {
            server.process.stop(STOP).await;
        }
    }
}

fn log(options: &Options, name: &str) -> PathBuf {
    let file = options.place.join(format!("{name}.log"));
    // Logs are of the newest demo: they would grow for ever otherwise.
    let _ = std::fs::remove_file(&file);
    file
}

/// The key of an earlier demo while the database knows it, else a new one.
async fn key(options: &Options, url: &str) -> anyhow::Result<String> {
    let file = options.place.join("key");
    if let Ok(kept) = std::fs::read_to_string(&file)
        && Client::new(url, &kept)?.key_is_known().await?
    {
        return Ok(kept);
    }
    let arguments = ["keys", "create", "--name", "demo", "--scopes", "submit,read,admin", "--json"];
    let output = command_line(&arguments, &options.environment).await?;
    let made: NewKey =
        serde_json::from_slice(&output.stdout).context("`rb-ocr keys create --json` did not print a key")?;
    keep(&file, &made.key).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(made.key)
}

/// Writes a file that only its owner can read.
fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())
}
