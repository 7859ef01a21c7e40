//! Attacks the whole system and proves from the outside that it keeps what it promised: after a 202 a run reaches an
//! end and only one, a callback comes for it and never before its time, and nothing is stuck when the faults stop.
//!
//! A plan that follows from a seed breaks processes, links, services and clocks while callers submit; a ledger keeps
//! what they were told; a checker holds it against what is.

mod api;
mod callers;
mod checker;
mod documents;
mod endpoint;
mod faults;
mod fleet;
mod ledger;
mod link;
mod nodes;
mod outside;
mod plan;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use api::Api;
use callers::Callers;
use faults::{SmallDisk, World};
use fleet::{Fleet, Place};
use ledger::Ledger;
use outside::Outside;
use plan::{Fault, Plan};
use report::{Done, recovery};

pub use report::Report;

use crate::own_services::OwnServices;
use crate::services::Database;

/// How a chaos run is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the plan follows from.
    pub seed: u64,
    /// How long faults go on.
    pub lasts: Duration,
    /// Workers beside the one api.
    pub workers: usize,
    /// Nodes of the broker: 1, or 3 that are killed in turn.
    pub nodes: usize,
    /// Callers that submit.
    pub callers: usize,
    /// Of each caller, between two submissions.
    pub pause: Duration,
    /// Tells what is done now.
    pub told: fn(&str),
}

impl Options {
    /// Three workers, one node of the broker, six callers, about ten submissions a second.
    pub fn new(seed: u64, lasts: Duration) -> Self {
        Self { seed, lasts, workers: 3, nodes: 1, callers: 6, pause: Duration::from_millis(500), told: |_| {} }
    }
}

/// Runs one.
///
/// # Errors
/// The system or its services cannot be started, a fault cannot be done, or a process did not end as it must.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let own = tokio::task::block_in_place(|| OwnServices::with_nodes(options.nodes))?;
    let database = Database::fresh_on(&own.services).await;
    let folder = tempfile::tempdir()?;
    let documents = folder.path().join("documents");
    std::fs::create_dir(&documents)?;
    let disk = SmallDisk::mount(&documents);
    let outside = Arc::new(Outside::start().await);
    let place = Place { own: &own, database: &database, folder: folder.path(), documents: &documents };
    let fleet = Fleet::start(&place, &outside, options.workers).await?;
    let api = Api::new(&fleet.url, &fleet.key);
    outside.endpoint.belongs_to(api.clone(), fleet.secret.clone());
    let callers = Arc::new(Callers {
        api: api.clone(),
        ledger: Arc::new(Ledger::default()),
        outside: Arc::clone(&outside),
        next: AtomicU64::new(0),
        stop: CancellationToken::new(),
        end: CancellationToken::new(),
        meddling: TaskTracker::new(),
    });
    let mut world = World { fleet, outside: &outside, own: &own, disk: disk.as_ref(), leaders_moved: 0 };
    let mut tasks: JoinSet<()> = (0..options.callers)
        .map(|number| Arc::clone(&callers).one(options.seed.wrapping_add(number as u64), options.pause))
        .collect();

    let (faults, skipped) = attack(options, &mut world, &callers.ledger).await?;
    // New submissions go on for a while, so that what the last fault left behind is met by them.
    tokio::time::sleep(Duration::from_secs(3)).await;
    callers.stop.cancel();
    let _ = tokio::time::timeout(checker::SETTLED, async { while tasks.join_next().await.is_some() {} }).await;
    callers.end.cancel();
    while tasks.join_next().await.is_some() {}
    callers.meddling.close();
    callers.meddling.wait().await;

    let promises = callers.ledger.promises();
    let mut findings = checker::check(&api, database.pool(), &promises, || outside.endpoint.arrivals()).await?;
    let (broken, refused) = callers.ledger.troubles();
    findings.broken.extend(broken);
    for member in &mut world.fleet.members {
        if let Some(status) = member.server.process.ended() {
            findings.broken.push(format!("a process of the fleet ended by itself: {status}"));
        }
    }
    let recovery = recovery(&faults, &promises, &outside.endpoint.arrivals());
    let logs = (!findings.broken.is_empty()).then(|| folder.keep());
    let leaders_moved = world.leaders_moved;
    Ok(Report {
        seed: options.seed,
        accepted: promises.len(),
        refused,
        findings,
        recovery,
        leaders_moved,
        skipped,
        logs,
    })
}

type Attack = (Vec<Done>, BTreeMap<&'static str, &'static str>);

async fn attack(options: &Options, world: &mut World<'_>, ledger: &Ledger) -> anyhow::Result<Attack> {
    let end = Instant::now() + options.lasts;
    let (mut done, mut skipped) = (Vec::new(), BTreeMap::new());
    for step in Plan::new(options.seed, options.workers, options.nodes) {
        if Instant::now() >= end {
            break;
        }
        if let Err(why) = world.can(step.fault) {
            skipped.insert(step.fault.kind(), why);
            continue;
        }
        tokio::time::sleep(step.pause).await;
        (options.told)(&format!("{:?} for {:.1} s", step.fault, step.lasts.as_secs_f64()));
        if step.fault == Fault::Outside(plan::Outside::LlmLies) {
            ledger.lied();
        }
        let over = world.suffer(step.fault, step.lasts).await?;
        done.push(Done { fault: step.fault, over });
    }
    Ok((done, skipped))
}
