//! How each fault is done and undone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lapin::options::QueuePurgeOptions;

use super::fleet::{Fleet, LEASE_SECONDS, faketime};
use super::link::State;
use super::nodes;
use super::outside::Outside;
use super::plan::{Bad, Fault};
use crate::own_services::{Action, OwnServices, Service};

const SLOW: Duration = Duration::from_millis(400);
const HOUR: u32 = 3600;
/// What a process may take to end by itself: more than its `SHUTDOWN_SECONDS`.
const STOP: Duration = Duration::from_secs(10);

/// What faults are done to.
#[derive(Debug)]
pub struct World<'a> {
    /// The processes.
    pub fleet: Fleet,
    /// What they call.
    pub outside: &'a Outside,
    /// PostgreSQL and RabbitMQ.
    pub own: &'a OwnServices,
    /// The document store's disk, where it is one that can be filled.
    pub disk: Option<&'a SmallDisk>,
    /// Queues that got another leader when their node was killed.
    pub leaders_moved: usize,
}

impl World<'_> {
    /// Whether a fault can be done on this machine; else why not.
    pub fn can(&self, fault: Fault) -> Result<(), &'static str> {
        match fault {
            Fault::DiskFull if self.disk.is_none() => Err("only root can make a small disk"),
            Fault::ClockStep(_) if faketime().is_none() => Err("libfaketime is not installed"),
            _ => Ok(()),
        }
    }

    /// Begins a fault, keeps it up for its time and ends it. Answers since when the system must go on: since it is over,
    /// or, where others do the work of what is away, since it began.
    ///
    /// # Errors
    /// It cannot be done, a process that was asked to end did not end with 0, or others did not do that work.
    pub async fn suffer(&mut self, fault: Fault, lasts: Duration) -> anyhow::Result<Instant> {
        let pause = || tokio::time::sleep(lasts);
        match fault {
            Fault::KillApi => self.kill(0, lasts).await?,
            Fault::KillWorker(number) => self.kill(number, lasts).await?,
            Fault::RestartWorker(number) => self.restart(number, lasts).await?,
            Fault::StallWorker(number) => {
                let process = &mut self.fleet.members[number].server.process;
                process.signal(libc::SIGSTOP);
                tokio::time::sleep(lasts.max(Duration::from_secs(LEASE_SECONDS + 2))).await;
                process.signal(libc::SIGCONT);
            }
            Fault::RestartBroker => self.crash(Service::RabbitMq, lasts).await?,
            Fault::BrokerNode(number) => {
                let killed = nodes::kill(self.own, number, lasts).await?;
                self.leaders_moved += killed.moved;
                return Ok(killed.at);
            }
            Fault::BrokerMinority(number) => nodes::leave_alone(self.own, number, lasts).await?,
            Fault::RestartDatabase => self.crash(Service::Postgres, lasts).await?,
            Fault::Link(number, far, bad) => {
                let link = self.fleet.members[number].link(far);
                match bad {
                    Bad::Cut => link.set(State::Cut),
                    Bad::Slow => link.set(State::Slow(SLOW)),
                    Bad::HalfOpen => link.set(State::HalfOpen),
                    Bad::Reset => link.reset(),
                }
                pause().await;
                if bad == Bad::HalfOpen {
                    // A route that was lost that long does not come back with what was on it.
                    link.reset();
                }
                link.set(State::Good);
            }
            Fault::PurgeQueues => purge(&self.own.services.amqp_url).await?,
            Fault::DiskFull => {
                let disk = self.disk.context("there is no disk to fill")?;
                disk.fill()?;
                pause().await;
                disk.free()?;
            }
            Fault::ClockStep(number) => {
                self.fleet.members[number].set_clock(HOUR)?;
                pause().await;
                self.fleet.members[number].set_clock(0)?;
            }
            Fault::Outside(fault) => {
                self.outside.set(fault, true);
                pause().await;
                self.outside.set(fault, false);
            }
        }
        Ok(Instant::now())
    }

    async fn kill(&mut self, number: usize, lasts: Duration) -> anyhow::Result<()> {
        self.fleet.members[number].server.process.kill();
        tokio::time::sleep(lasts).await;
        self.fleet.members[number].start()
    }

    async fn restart(&mut self, number: usize, lasts: Duration) -> anyhow::Result<()> {
        let member = &mut self.fleet.members[number];
        let status = member.server.process.stop(STOP).await;
        anyhow::ensure!(status.is_some_and(|status| status.success()), "a worker told to end ended with {status:?}");
        tokio::time::sleep(lasts).await;
        member.start()
    }

    async fn crash(&self, service: Service, lasts: Duration) -> anyhow::Result<()> {
        tokio::task::block_in_place(|| self.own.act(service, Action::Crash))?;
        tokio::time::sleep(lasts).await;
        Ok(tokio::task::block_in_place(|| self.own.act(service, Action::Start))?)
    }
}

async fn purge(amqp_url: &str) -> anyhow::Result<()> {
    let connection = lapin::Connection::connect(amqp_url, lapin::ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for queue in ["rb-ocr.runs.high", "rb-ocr.runs.normal", "rb-ocr.callbacks", "rb-ocr.erase"] {
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

/// A file system in memory of 32 MiB, for a document store whose disk runs full.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one; none where this user may not.
    pub fn mount(folder: &Path) -> Option<Self> {
        let mount = ["-t", "tmpfs", "-o", "size=32m,mode=0700", "tmpfs"];
        let mounted =
            std::process::Command::new("mount").args(mount).arg(folder).stderr(std::process::Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self { folder: folder.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    /// Fills it to the last byte.
    fn fill(&self) -> std::io::Result<()> {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.filler())?;
        for size in [1 << 20, 1 << 10, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> std::io::Result<()> {
        std::fs::remove_file(self.filler())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(&self.folder).status());
    }
}
