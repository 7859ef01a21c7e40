//! A PostgreSQL and a RabbitMQ of one test alone, which it may stop and crash. They take seconds to
//! start: for tests of what happens while a service is away; others share the checkout's.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::services::{Services, checkout};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The database.
    Postgres,
    /// The broker.
    RabbitMq,
}

/// What is done to it. Each returns when it is so: started means ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Starts it where it was, on the same port.
    Start,
    /// Ends it in order, open connections and all.
    Stop,
    /// Ends it as a crash would: PostgreSQL without a checkpoint ("immediate"), RabbitMQ by SIGKILL.
    Crash,
}

/// The two servers of a test; gone with it.
#[derive(Debug)]
pub struct OwnServices {
    folder: TempDir,
    /// Where they are.
    pub services: Services,
}

impl OwnServices {
    /// Starts both.
    ///
    /// # Errors
    /// What deploy/local/up.sh says.
    pub fn start() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let text = |folder: &TempDir| std::fs::read_to_string(local(folder).join("env"));
        if let Err(error) = script(&folder, "up.sh", &[]) {
            drop(script(&folder, "down.sh", &["--wipe"]));
            return Err(error);
        }
        let services = Services::in_file(&text(&folder)?).ok_or_else(|| io::Error::other("up.sh wrote no settings"))?;
        Ok(Self { folder, services })
    }

    /// Starts, stops or crashes one of them. It blocks for seconds: from async code, in
    /// `tokio::task::spawn_blocking` or where nothing else has to go on.
    ///
    /// # Errors
    /// What deploy/local/service.sh says.
    pub fn act(&self, service: Service, action: Action) -> io::Result<()> {
        let service = match service {
            Service::Postgres => "postgres",
            Service::RabbitMq => "rabbitmq",
        };
        let action = match action {
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Crash => "crash",
        };
        script(&self.folder, "service.sh", &[service, action])
    }
}

impl Drop for OwnServices {
    fn drop(&mut self) {
        drop(script(&self.folder, "down.sh", &["--wipe"]));
    }
}

fn local(folder: &TempDir) -> PathBuf {
    folder.path().join("local")
}

fn script(folder: &TempDir, name: &str, arguments: &[&str]) -> io::Result<()> {
    // Its output goes to a file: a pipe would be held open by the servers that it starts.
    let said = folder.path().join("said");
    let output = std::fs::File::create(&said)?;
    let status = Command::new(checkout().join("deploy/local").join(name))
        .args(arguments)
        .env("RB_OCR_LOCAL", local(folder))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output)
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{name}: {}", std::fs::read_to_string(&said).unwrap_or_default().trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection;

    async fn answers(services: &Services) -> bool {
        match sqlx::PgConnection::connect(services.database_url.as_str()).await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    }

    #[tokio::test]
    async fn a_crashed_database_comes_back_where_it_was() {
        let own = OwnServices::start().expect("both start");
        assert!(answers(&own.services).await);
        own.act(Service::Postgres, Action::Crash).expect("it can be crashed");
        assert!(!answers(&own.services).await);
        own.act(Service::Postgres, Action::Start).expect("it starts again");
        assert!(answers(&own.services).await);
    }
}
