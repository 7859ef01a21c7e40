//! What a run costs: CPU milliseconds of every process with stand-ins that answer at once, and how often database
//! and broker are asked.

use std::time::Duration;

use anyhow::ensure;

use super::cost::{Processes, Spent};
use super::facts::{BrokerFacts, DatabaseCounters};
use super::load::{self, Caller};
use super::options::Options;
use super::report::{Table, against, digits};
use super::stack::{Shape, Stack};
use super::statistics::median;

/// Runs before anything is measured: connections are made then and statements prepared.
const WARM_UP: u32 = 300;

/// How long the idle system is measured.
pub(super) const IDLE: Duration = Duration::from_secs(10);

/// Idle backends of PostgreSQL report what they have counted within ten seconds.
const REPORTED: Duration = Duration::from_secs(11);

/// A repeat ends within this time, or something is wrong.
const LIMIT: Duration = Duration::from_secs(120);

/// CPU milliseconds of a run, all processes together.
const TARGET_MS: f64 = 4.0;

/// Measures, and answers what is to be printed.
///
/// # Errors
/// Where a run does not end as it should.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let mut stack = Stack::start(Shape::at_once(options.workers)).await?;
    let caller = Caller::new(stack.api.server.url(), stack.key.clone())?;
    let processes = Processes::of(&mut stack).await?;
    load::at_once(&caller, WARM_UP, options.connections).await?;
    stack.all_done(LIMIT).await?;
    let broker_before = BrokerFacts::ask(stack.queues.prefix()).await?;
    let children_before = stack.children().await?;
    tokio::time::sleep(REPORTED).await;

    let (idle_from, counted_idle) = (processes.read(), DatabaseCounters::read(&mut stack.eyes).await?);
    tokio::time::sleep(IDLE).await;
    let idle = idle_from.until(&processes.read());
    let counted_before = DatabaseCounters::read(&mut stack.eyes).await?;
    let counting_from = tokio::time::Instant::now();
    let looks_before = stack.looks;

    let mut repeats = Vec::new();
    for _ in 0..options.repeats {
        let from = processes.read();
        load::at_once(&caller, options.runs, options.connections).await?;
        stack.all_done(LIMIT).await?;
        repeats.push(from.until(&processes.read()));
    }

    tokio::time::sleep(REPORTED).await;
    let counted = DatabaseCounters::read(&mut stack.eyes).await?;
    let counted_seconds = counting_from.elapsed().as_secs_f64();
    let looks = (stack.looks - looks_before) as f64;
    let broker = BrokerFacts::ask(stack.queues.prefix()).await?;
    let children = stack.children().await? - children_before;
    let queue_type = broker.queue_type(stack.queues.prefix()).to_owned();
    ensure!(queue_type == "quorum", "the queue of runs is of the type {queue_type}");
    stack.check(caller.submitted()).await?;
    stack.stop().await?;

    let runs = f64::from(options.runs * options.repeats);
    let background = counted_seconds / IDLE.as_secs_f64();
    let per_run = |before: f64, after: f64, idle: f64| (after - before - idle * background) / runs;
    let (received, confirmed) = broker.received_since(&broker_before);
    let mut asked = Table::new(["a run takes", ""]);
    let commits =
        per_run(counted_before.commits + looks, counted.commits, counted_before.commits - counted_idle.commits);
    asked.row(["commits".into(), format!("{commits:.2}")]);
    let writes = per_run(counted_before.writes, counted.writes, counted_before.writes - counted_idle.writes);
    asked.row(["of them with changes".into(), format!("{writes:.2}")]);
    let wal = per_run(counted_before.wal_bytes, counted.wal_bytes, counted_before.wal_bytes - counted_idle.wal_bytes);
    asked.row(["bytes of the database's log".into(), format!("{wal:.0}")]);
    asked.row([format!("publishes to the {queue_type} queue"), format!("{:.2}", confirmed / runs)]);
    asked.row(["messages of events".into(), format!("{:.2}", (received - confirmed) / runs)]);
    asked.row(["child processes".into(), format!("{:.2}", children / runs)]);
    Ok(format!(
        "At once: {} runs, {} submissions in hand, {} worker(s) with WORKER_CONCURRENCY={}\n\n{}\n{asked}",
        options.runs,
        options.connections,
        options.workers,
        Shape::AMPLE,
        cpu(&processes, &repeats, &idle, options.runs, Some(TARGET_MS)),
    ))
}

/// CPU milliseconds a run, process by process: the medians of the repeats.
pub(super) fn cpu(processes: &Processes, repeats: &[Spent], idle: &Spent, runs: u32, target: Option<f64>) -> String {
    let over_idle: Vec<Vec<f64>> = repeats.iter().map(|spent| spent.per_run_over(idle, runs)).collect();
    let whole: Vec<Vec<f64>> = repeats.iter().map(|spent| spent.per_run(runs)).collect();
    let column = |repeats: &[Vec<f64>], at: usize| median(&repeats.iter().map(|repeat| repeat[at]).collect::<Vec<_>>());
    let sums = |repeats: &[Vec<f64>]| -> Vec<f64> { repeats.iter().map(|repeat| repeat.iter().sum()).collect() };
    let mut table = Table::new(["CPU ms a run", "less idle", "with idle", "idle, ms a second"]);
    for (at, name) in processes.names().enumerate() {
        let figures = [column(&over_idle, at), column(&whole, at), idle.cpu_ms[at] / idle.seconds];
        table.row(std::iter::once(name.to_owned()).chain(figures.map(digits)));
    }
    let all = [median(&sums(&over_idle)), median(&sums(&whole)), idle.cpu_ms.iter().sum::<f64>() / idle.seconds];
    table.row(std::iter::once("all".to_owned()).chain(all.map(digits)));
    let spread = sums(&over_idle).iter().map(|sum| digits(*sum)).collect::<Vec<_>>().join(", ");
    let rates = repeats.iter().map(|spent| digits(f64::from(runs) / spent.seconds)).collect::<Vec<_>>().join(", ");
    let target = target.map(|limit| {
        let [_, limit, kept] = against(all[0], limit, "ms");
        format!("; target {limit}: {kept}")
    });
    format!("{table}\nthe repeats: {spread} ms{}; {rates} runs a second\n", target.unwrap_or_default())
}
