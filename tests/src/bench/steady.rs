//! Latencies at a steady rate: the answer to a submission, and the end of its run.

use std::time::Duration;

use super::at_once::{IDLE, cpu};
use super::cost::Processes;
use super::load::{self, Caller};
use super::options::Options;
use super::report::{Table, against, digits};
use super::stack::{Shape, Stack};
use super::statistics::{median, percentile};

const WARM_UP_SECONDS: u32 = 3;
const LIMIT: Duration = Duration::from_secs(120);

/// Milliseconds until the 202, of the 99th in a hundred.
const SUBMIT_P99_MS: f64 = 30.0;
/// Milliseconds from the submission to the run's end, of the 50th.
const FINISHED_P50_MS: f64 = 60.0;

/// Milliseconds of one repeat: each list in no order.
#[derive(Debug, Default)]
struct Repeat {
    submitted: Vec<f64>,
    waited: Vec<f64>,
    recorded: Vec<f64>,
}

/// One of the lists.
type Pick = fn(&Repeat) -> &Vec<f64>;

/// Measures, and answers what is to be printed.
///
/// # Errors
/// Where a run does not end as it should.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let mut stack = Stack::start(Shape::at_once(options.workers)).await?;
    let caller = Caller::new(stack.api.server.url(), stack.key.clone())?;
    let processes = Processes::of(&mut stack).await?;
    load::steadily(&caller, options.rate, WARM_UP_SECONDS).await?;
    stack.all_done(LIMIT).await?;
    let idle_from = processes.read();
    tokio::time::sleep(IDLE).await;
    let idle = idle_from.until(&processes.read());

    let (mut repeats, mut spent) = (Vec::new(), Vec::new());
    for _ in 0..options.repeats {
        let since = stack.now().await?;
        let from = processes.read();
        let timed = load::steadily(&caller, options.rate, options.seconds).await?;
        stack.all_done(LIMIT).await?;
        spent.push(from.until(&processes.read()));
        repeats.push(Repeat {
            submitted: timed.iter().map(|run| run.submitted_ms).collect(),
            waited: timed.iter().map(|run| run.finished_ms).collect(),
            recorded: stack.durations_since(since).await?,
        });
    }
    stack.check(caller.submitted()).await?;
    stack.stop().await?;

    let of = |pick: Pick, percent| {
        median(&repeats.iter().map(|repeat| percentile(pick(repeat), percent)).collect::<Vec<_>>())
    };
    let mut table = Table::new(["milliseconds", "p50", "p99", "target", ""]);
    let kinds: [(&str, Pick, (f64, f64)); 3] = [
        ("submission to its 202", |repeat| &repeat.submitted, (99.0, SUBMIT_P99_MS)),
        ("run: completed_at − created_at", |repeat| &repeat.recorded, (50.0, FINISHED_P50_MS)),
        ("submission to the answer of a waiting GET", |repeat| &repeat.waited, (50.0, FINISHED_P50_MS)),
    ];
    for (name, pick, (percent, limit)) in kinds {
        let [_, limit, kept] = against(of(pick, percent), limit, "ms");
        let (median, slowest) = (digits(of(pick, 50.0)), digits(of(pick, 99.0)));
        table.row([name.to_owned(), median, slowest, format!("p{percent:.0} {limit}"), kept]);
    }
    let each = |pick: Pick, percent| {
        repeats.iter().map(|repeat| digits(percentile(pick(repeat), percent))).collect::<Vec<_>>().join(", ")
    };
    Ok(format!(
        "Steady: {} submissions a second for {} s, each waited for by a GET, {} worker(s) with WORKER_CONCURRENCY={}\n\n\
         {table}\nthe repeats: 202 p99 {} ms; run p50 {} ms; GET p50 {} ms\n\n{}",
        options.rate,
        options.seconds,
        options.workers,
        Shape::AMPLE,
        each(|repeat| &repeat.submitted, 99.0),
        each(|repeat| &repeat.recorded, 50.0),
        each(|repeat| &repeat.waited, 50.0),
        cpu(&processes, &spent, &idle, options.rate * options.seconds, None),
    ))
}
