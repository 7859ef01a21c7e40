//! From start to ready, and the memory of processes that have nothing to do.

use std::time::Duration;

use super::options::Options;
use super::procfs::resident_mb;
use super::report::{Table, against};
use super::stack::{Shape, Stack};
use super::statistics::median;

/// Everything that a start brings with it has been done by then.
const IDLE: Duration = Duration::from_secs(10);

const READY_MS: f64 = 1000.0;
const IDLE_MB: f64 = 40.0;

/// Measures, and answers what is to be printed.
///
/// # Errors
/// Where a process does not become ready.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let (mut ready, mut resident) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..options.repeats {
        let shape = Shape { workers: 1, concurrency: 16, ocr_delay: Duration::ZERO, llm_delay: Duration::ZERO };
        let stack = Stack::start(shape).await?;
        tokio::time::sleep(IDLE).await;
        for (at, started) in [&stack.api, &stack.workers[0]].into_iter().enumerate() {
            ready[at].push(started.ready_ms);
            resident[at].push(resident_mb(started.server.process.id()).unwrap_or(f64::NAN));
        }
        stack.stop().await?;
    }
    let mut table = Table::new(["start", "", "target", ""]);
    for (at, name) in ["api", "worker"].into_iter().enumerate() {
        table.row(std::iter::once(format!("{name}: ready after")).chain(against(median(&ready[at]), READY_MS, "ms")));
        let [figure, limit, kept] = against(median(&resident[at]), IDLE_MB, "MB");
        let row = [format!("{name}: resident while idle"), figure];
        // Only the worker has a limit: an api grows with those who wait.
        if name == "worker" { table.row(row.into_iter().chain([limit, kept])) } else { table.row(row) }
    }
    Ok(format!("Start and idle: {} starts\n\n{table}", options.repeats))
}
