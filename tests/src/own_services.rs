//! A PostgreSQL and a RabbitMQ of one test alone, which it may stop and crash; the broker has one node or is a cluster
//! of three. They take seconds to start: for tests of what happens while a service is away; others share the
//! checkout's.

use std::io::{self, Read as _, Seek as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::services::{Services, checkout, file_setting};

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

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Crash => "crash",
        }
    }
}

/// The two servers of a test; gone with it.
#[derive(Debug)]
pub struct OwnServices {
    place: OwnPlace,
    /// Where they are; of a broker with several nodes, the first.
    pub services: Services,
    /// Where each node of the broker accepts connections.
    pub nodes: Vec<SocketAddr>,
}

impl OwnServices {
    /// Starts both.
    ///
    /// # Errors
    /// What deploy/local/up.sh says.
    pub fn start() -> io::Result<Self> {
        Self::with_nodes(1)
    }

    /// The same with so many nodes of the broker: 1 or 3.
    ///
    /// # Errors
    /// As [`OwnServices::start`].
    pub fn with_nodes(count: usize) -> io::Result<Self> {
        let place = OwnPlace { folder: tempfile::tempdir()?, nodes: count };
        place.script("up.sh", &[])?;
        let text = |name| std::fs::read_to_string(place.local().join(name));
        let (env, ports) = (text("env")?, text("ports")?);
        let node = |number| {
            let mark = if number == 1 { String::new() } else { format!("_{number}") };
            let port: u16 = file_setting(&ports, &format!("RB_OCR_AMQP_PORT{mark}"))?.parse().ok()?;
            Some((Ipv4Addr::LOCALHOST, port).into())
        };
        let nodes = (1..=count).map(node).collect::<Option<_>>();
        let nodes = nodes.ok_or_else(|| io::Error::other("up.sh wrote no ports"))?;
        let services = Services::in_file(&env).ok_or_else(|| io::Error::other("up.sh wrote no settings"))?;
        Ok(Self { place, services, nodes })
    }

    /// Starts, stops or crashes one of them, all its nodes. It blocks for seconds: from async code, in
    /// `tokio::task::spawn_blocking` or where nothing else has to go on.
    ///
    /// # Errors
    /// What deploy/local/service.sh says.
    pub fn act(&self, service: Service, action: Action) -> io::Result<()> {
        let service = match service {
            Service::Postgres => "postgres",
            Service::RabbitMq => "rabbitmq",
        };
        self.place.script("service.sh", &[service, action.word()]).map(drop)
    }

    /// The same to one node of the broker, from 1.
    ///
    /// # Errors
    /// As [`OwnServices::act`].
    pub fn act_on_node(&self, number: usize, action: Action) -> io::Result<()> {
        self.place.script("service.sh", &["rabbitmq", action.word(), &number.to_string()]).map(drop)
    }

    /// Who keeps the broker's quorum queues now, as the nodes that are up know it. It blocks for a second.
    ///
    /// # Errors
    /// What deploy/local/broker_members.sh says: no node is up.
    pub fn queues(&self) -> io::Result<Vec<Kept>> {
        let said = self.place.script("broker_members.sh", &[])?;
        let queues = said.lines().map(Kept::read).collect::<Option<_>>();
        queues.ok_or_else(|| io::Error::other(format!("broker_members.sh said something else: {said}")))
    }
}

/// A quorum queue of the broker. Nodes are told by their number, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub queue: String,
    /// Who leads it.
    pub leader: usize,
    /// Who keeps it.
    pub members: Vec<usize>,
    /// Who of them is there.
    pub online: Vec<usize>,
}

impl Kept {
    fn read(line: &str) -> Option<Self> {
        let numbers = |list: &str| list.split(',').map(|number| number.parse().ok()).collect::<Option<Vec<usize>>>();
        let [queue, leader, members, online] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
        let (leader, members, online) = (leader.parse().ok()?, numbers(members)?, numbers(online)?);
        Some(Self { queue: queue.to_owned(), leader, members, online })
    }
}

/// Where the servers live. Whatever of them was started ends with it.
#[derive(Debug)]
struct OwnPlace {
    folder: TempDir,
    nodes: usize,
}

impl OwnPlace {
    fn local(&self) -> PathBuf {
        self.folder.path().join("local")
    }

    /// Runs a script of deploy/local for this place; what it printed.
    fn script(&self, name: &str, arguments: &[&str]) -> io::Result<String> {
        // Its output goes to files: a pipe would be held open by the servers that it starts.
        let (mut said, mut wrong) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let status = Command::new(checkout().join("deploy/local").join(name))
            .args(arguments)
            .env("RB_OCR_LOCAL", self.local())
            .env("RB_OCR_NODES", self.nodes.to_string())
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(wrong.try_clone()?)
            .status()?;
        let text = |file: &mut std::fs::File| {
            let mut text = String::new();
            file.rewind().and_then(|()| file.read_to_string(&mut text)).map(|_| text)
        };
        if status.success() {
            return text(&mut said);
        }
        Err(io::Error::other(format!("{name}: {}", text(&mut wrong)?.trim())))
    }
}

impl Drop for OwnPlace {
    fn drop(&mut self) {
        drop(self.script("down.sh", &["--wipe"]));
    }
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

    #[test]
    fn a_line_of_the_brokers_members_is_read_and_anything_else_is_not() {
        let kept = Kept { queue: "rb-ocr.erase".into(), leader: 2, members: vec![1, 2, 3], online: vec![2, 3] };
        assert_eq!(Kept::read("rb-ocr.erase 2 1,2,3 2,3"), Some(kept));
        assert_eq!(Kept::read("rb-ocr.erase rabbit@there 1,2,3 2,3"), None);
        assert_eq!(Kept::read("rb-ocr.erase 2 1,2,3"), None);
    }
}
