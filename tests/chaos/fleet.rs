//! The fleet under attack: one api and some workers, real binaries, each with links of its own to the services.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use url::Url;

use super::link::Link;
use super::outside::Outside;
use super::plan::Far;
use crate::binaries::{Server, command_line, free_port};
use crate::own_services::OwnServices;
use crate::process::Environment;
use crate::services::Database;

/// A lease in this fleet, short so that a plan gets through many.
pub const LEASE_SECONDS: u64 = 5;

/// A process of the fleet: a server, its links, its clock.
#[derive(Debug)]
pub struct Member {
    /// The running process, or the last one.
    pub server: Server,
    binary: &'static str,
    setting: &'static str,
    environment: Environment,
    log: PathBuf,
    database: Link,
    broker: Link,
    clock: PathBuf,
}

impl Member {
    /// Its link to a service.
    pub fn link(&self, far: Far) -> &Link {
        match far {
            Far::Database => &self.database,
            Far::Broker => &self.broker,
        }
    }

    /// Starts it anew, where it has ended.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if self.server.process.ended().is_some() {
            self.server = Server::start(self.binary, self.setting, &self.environment, &self.log)?;
        }
        Ok(())
    }

    /// Sets its wall clock so many seconds ahead. Nothing happens where libfaketime is not installed.
    ///
    /// # Errors
    /// The file that libfaketime reads cannot be written.
    pub fn set_clock(&self, ahead: u32) -> std::io::Result<()> {
        std::fs::write(&self.clock, format!("+{ahead}"))
    }
}

/// All of it.
#[derive(Debug)]
pub struct Fleet {
    /// The api, then the workers.
    pub members: Vec<Member>,
    /// The address of the api, the same after every start.
    pub url: String,
    /// A key with all scopes.
    pub key: String,
    /// What callbacks are signed with.
    pub secret: String,
}

/// Where the fleet lives.
#[derive(Debug)]
pub struct Place<'a> {
    /// PostgreSQL and RabbitMQ, its own.
    pub own: &'a OwnServices,
    /// Its database.
    pub database: &'a Database,
    /// A folder for its logs and clocks.
    pub folder: &'a Path,
    /// The document store's folder.
    pub documents: &'a Path,
}

impl Fleet {
    /// One api and so many workers, ready.
    ///
    /// # Errors
    /// A process does not become ready; with its last lines.
    pub async fn start(place: &Place<'_>, outside: &Outside, workers: usize) -> anyhow::Result<Self> {
        let common = settings(place, outside);
        let made =
            command_line(&["keys", "create", "--name", "bank", "--scopes", "submit,read,admin", "--json"], &common)
                .await?;
        let made: Value = serde_json::from_slice(&made.stdout)?;
        let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| format!("no {name} was made"));
        let (key, secret) = (text("key")?, text("callback_secret")?);
        let mut members = Vec::new();
        for number in 0..=workers {
            members.push(member(place, &common, number).await?);
        }
        let url = members[0].server.url();
        Ok(Self { members, url, key, secret })
    }
}

fn settings(place: &Place<'_>, outside: &Outside) -> Environment {
    Environment::new()
        .with("DATABASE_URL", place.database.url())
        .with("AMQP_URL", place.own.services.amqp_url.as_str())
        .with("STORAGE_URL", format!("file://{}", place.documents.display()))
        .with("TMPDIR", place.folder.display().to_string())
        .with("SECRETS_KEY", "dGVzdHMgb25seTogMzIgYnl0ZXMgdGhhdCBhcmUga24=")
        .with("JUDGE_AS_OF", "2026-11-22")
        .with("OCR_ENGINE", "http")
        .with("OCR_BASE_URL", outside.ocr.base_url())
        .with("ANALYZER", "llm")
        .with("LLM_BASE_URL", outside.llm.base_url())
        .with("LLM_MODEL", "stand-in")
        .with("CALLBACK_ALLOW_HOSTS", "127.0.0.1")
        .with("CALLBACK_PAUSES", "1s,1s,2s,2s,3s,3s,4s,4s,5s,5s,5s,5s")
        .with("RETRY_PAUSES", "1s,1s,2s,2s")
        .with("RATE_LIMIT", "1000000/60")
        .with("WORKER_CONCURRENCY", "8")
        .with("LEASE_SECONDS", LEASE_SECONDS.to_string())
        .with("SHUTDOWN_SECONDS", "5")
}

async fn member(place: &Place<'_>, common: &Environment, number: usize) -> anyhow::Result<Member> {
    let (name, binary, setting) = match number {
        0 => ("api".to_owned(), "rb-ocr-api", "API_LISTEN"),
        _ => (format!("worker-{number}"), "rb-ocr-worker", "WORKER_LISTEN"),
    };
    let (log, clock) = (place.folder.join(format!("{name}.log")), place.folder.join(format!("{name}.clock")));
    let (database_url, database) = linked(place.database.url(), None).await?;
    // The broker's address is that of a load balancer; not all processes begin at the same node.
    let mut nodes = place.own.nodes.clone();
    nodes.rotate_left(number % place.own.nodes.len());
    let (amqp_url, broker) = linked(&place.own.services.amqp_url, Some(nodes)).await?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut environment =
        common.clone().with("DATABASE_URL", database_url).with("AMQP_URL", amqp_url).with(setting, listen.to_string());
    std::fs::write(&clock, "+0")?;
    if let Some(library) = faketime() {
        environment = environment
            .with("LD_PRELOAD", library.display().to_string())
            .with("FAKETIME_TIMESTAMP_FILE", clock.display().to_string())
            .with("FAKETIME_CACHE_DURATION", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    let server = match number {
        0 => Server::api(&environment, &log).await?,
        _ => Server::worker(&environment, &log).await?,
    };
    Ok(Member { server, binary, setting, environment, log, database, broker, clock })
}

/// The same address through a link, which leads to these servers where they are several.
async fn linked(address: &str, servers: Option<Vec<SocketAddr>>) -> anyhow::Result<(String, Link)> {
    let mut url: Url = address.parse()?;
    let servers = match servers {
        Some(servers) => servers,
        None => url.socket_addrs(|| None)?.into_iter().take(1).collect(),
    };
    let link = Link::to(servers).await?;
    url.set_port(Some(link.address().port())).ok().context("a port")?;
    url.set_ip_host(link.address().ip()).ok().context("a host")?;
    Ok((url.to_string(), link))
}

/// The library that makes a process believe in another time, where it is installed.
pub fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|file| file.is_file())
}
