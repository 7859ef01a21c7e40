//! The demo: starts an api and two workers on the private services, sends the sample documents
//! through them and shows what comes out. deploy/local/demo.sh calls it.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use harness::demo::board::terminal_size;
use harness::demo::client::Client;
use harness::demo::options::Options;
use harness::demo::report::report;
use harness::demo::stack::Stack;
use harness::demo::{truth, walk};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "rb-ocr: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<ExitCode> {
    let options = Options::from_environment()?;
    let samples = truth::read(&options.documents)?;
    writeln!(io::stdout(), "Starting one api and two workers …")?;
    // Dropping the future of an unfinished start kills what it had started.
    let mut stack = tokio::select! {
        stack = Stack::start(&options) => stack?,
        () = asked_to_stop() => return Ok(ExitCode::from(130)),
    };
    if stack.moved {
        writeln!(io::stdout(), "Port 8080 is taken by another program; the api listens at {}.", stack.url)?;
    }
    let outcome = tokio::select! {
        outcome = show(&options, &mut stack, &samples) => outcome,
        () = asked_to_stop() => Ok(ExitCode::from(130)),
    };
    let outcome = match outcome {
        Ok(_) if options.stay => stay(&options, &mut stack, samples.first()).await,
        outcome => outcome,
    };
    writeln!(io::stdout(), "\nStopping api and workers; PostgreSQL and RabbitMQ stay until `make down`.")?;
    stack.stop().await;
    outcome
}

/// Sends the documents through and prints the table; success only if every one came out as expected.
async fn show(options: &Options, stack: &mut Stack, samples: &[truth::Sample]) -> anyhow::Result<ExitCode> {
    let client = Client::new(&stack.url, &stack.key)?;
    let mut out = io::stdout();
    writeln!(out, "{} documents of {} go to {}\n", samples.len(), options.documents.display(), stack.url)?;
    let outcomes = tokio::select! {
        outcomes = walk::walk(&client, &options.documents, samples.to_vec()) => outcomes?,
        fallen = fallen(stack) => anyhow::bail!("{fallen} (its log is in {})", options.place.display()),
    };
    let columns = terminal_size().map(|(_, columns)| columns);
    writeln!(out, "\n{}", report(&outcomes, columns))?;
    let as_expected = outcomes.iter().all(|outcome| outcome.differences().is_empty());
    Ok(if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leaves the service to the person at the terminal until they end it, which is how it should end.
async fn stay(options: &Options, stack: &mut Stack, sample: Option<&truth::Sample>) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    writeln!(out, "The service stays at {} until Ctrl-C.\nIts key: {}\n", stack.url, stack.key)?;
    if let Some(sample) = sample {
        writeln!(out, "  curl -H 'Authorization: Bearer {}' -H 'Prefer: wait=30' \\", stack.key)?;
        let file = options.documents.join(&sample.file);
        writeln!(
            out,
            "       -F 'file=@{}' -F 'fio={}' {}/v1/runs\n",
            file.display(),
            sample.applicant_fio,
            stack.url
        )?;
    }
    tokio::select! {
        () = asked_to_stop() => Ok(ExitCode::SUCCESS),
        fallen = fallen(stack) => anyhow::bail!("{fallen} (its log is in {})", options.place.display()),
    }
}

/// Ends when one of our processes does, which none should.
async fn fallen(stack: &mut Stack) -> String {
    loop {
        if let Some(fallen) = stack.fallen() {
            return fallen;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Ends on Ctrl-C, SIGTERM or a terminal that was closed.
async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}
