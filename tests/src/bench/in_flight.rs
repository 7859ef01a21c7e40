//! Memory of one worker with many runs in flight: the OCR service takes three seconds, each call of the model one.

use std::time::Duration;

use anyhow::ensure;

use super::load::{self, Caller, Urgency};
use super::options::Options;
use super::procfs::resident_mb;
use super::report::{Table, against, digits};
use super::stack::{Shape, Stack};
use super::statistics::median;

const OCR_DELAY: Duration = Duration::from_secs(3);
const LLM_DELAY: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(50);

/// Resident megabytes of the worker.
const TARGET_MB: f64 = 150.0;

/// Measures, and answers what is to be printed.
///
/// # Errors
/// Where a run does not end as it should, or fewer are in flight than were asked for.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let shape = Shape { workers: 1, concurrency: options.in_flight, ocr_delay: OCR_DELAY, llm_delay: LLM_DELAY };
    let mut stack = Stack::start(shape).await?;
    let caller = Caller::new(stack.api.server.url(), stack.key.clone())?;
    let worker = stack.workers[0].server.process.id();
    let before = resident_mb(worker).unwrap_or(f64::NAN);
    let (mut peaks, mut most_in_flight) = (Vec::new(), Vec::new());
    for _ in 0..options.repeats {
        let begin = tokio::time::Instant::now();
        // A slot is kept for urgent runs, so there are some: else one slot would stay free.
        for _ in 0..4 {
            caller.submit(Urgency::High).await?;
        }
        let submitting = tokio::spawn({
            let (caller, runs, connections) = (caller.clone(), options.in_flight * 2, options.connections);
            async move { load::at_once(&caller, runs, connections).await }
        });
        let (mut peak, mut in_flight) = (0.0_f64, 0);
        loop {
            peak = peak.max(resident_mb(worker).unwrap_or(f64::NAN));
            let (owed, leased) = stack.owed().await?;
            in_flight = in_flight.max(leased);
            if owed == 0 && submitting.is_finished() {
                break;
            }
            ensure!(begin.elapsed() < LIMIT, "{owed} runs are not finished after {} s", LIMIT.as_secs());
            tokio::time::sleep(LOOK).await;
        }
        submitting.await??;
        peaks.push(peak);
        most_in_flight.push(in_flight as f64);
    }
    ensure!(
        median(&most_in_flight) >= f64::from(options.in_flight) * 0.99,
        "no more than {most_in_flight:?} runs were in flight"
    );
    let after = resident_mb(worker).unwrap_or(f64::NAN);
    stack.check(caller.submitted()).await?;
    stack.stop().await?;

    let mut table = Table::new(["one worker, resident", "", "target", ""]);
    table.row(["before".into(), format!("{} MB", digits(before))]);
    let name = format!("with {} runs in flight", digits(median(&most_in_flight)));
    table.row(std::iter::once(name).chain(against(median(&peaks), TARGET_MB, "MB")));
    table.row(["afterwards".into(), format!("{} MB", digits(after))]);
    let peaks = peaks.iter().map(|peak| digits(*peak)).collect::<Vec<_>>().join(", ");
    Ok(format!(
        "In flight: WORKER_CONCURRENCY={}, OCR after {} s, the model after {} s\n\n{table}\nthe repeats: {peaks} MB\n",
        options.in_flight,
        OCR_DELAY.as_secs(),
        LLM_DELAY.as_secs()
    ))
}
