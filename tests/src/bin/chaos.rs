//! `make chaos`: attacks the whole system for ten minutes and proves that it keeps its promises. Ends with 1 where one
//! is broken, and always says the seed that makes the same plan again.

use std::process::ExitCode;
use std::time::Duration;

use harness::chaos::{Options, run};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: chaos [--seconds N] [--seed N] [--nodes 1|3]";

fn say(text: &str) {
    #[expect(clippy::print_stdout, reason = "it is for people")]
    {
        println!("{text}");
    }
}

fn options(arguments: impl Iterator<Item = String>) -> Result<Options, &'static str> {
    let arguments: Vec<String> = arguments.collect();
    let (mut seed, mut seconds, mut nodes) = (u64::from(rand::random::<u32>()), 600, 1);
    for pair in arguments.chunks(2) {
        let value = pair.get(1).and_then(|value| value.parse().ok()).ok_or(USAGE)?;
        match pair[0].as_str() {
            "--seed" => seed = value,
            "--seconds" => seconds = value,
            "--nodes" if value == 1 || value == 3 => nodes = usize::try_from(value).map_err(|_| USAGE)?,
            _ => return Err(USAGE),
        }
    }
    Ok(Options { told: say, nodes, ..Options::new(seed, Duration::from_secs(seconds)) })
}

async fn told_to_end() {
    let mut terminate = signal(SignalKind::terminate()).expect("it can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("it can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(usage) => {
            say(usage);
            return ExitCode::from(2);
        }
    };
    say(&format!("seed {}, {} s", options.seed, options.lasts.as_secs()));
    // Told to end, it ends in order: the fleet and its services are groups of their own and would be left behind.
    let ran = tokio::select! {
        ran = run(&options) => ran,
        () = told_to_end() => return ExitCode::from(130),
    };
    match ran {
        Ok(report) => {
            say(&format!("\n{report}"));
            if report.kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            say(&format!("seed {}: {error:#}", options.seed));
            ExitCode::FAILURE
        }
    }
}
