//! The benchmark of the whole system. deploy/local/bench.sh builds what it needs and calls it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use harness::bench::facts::{self, BrokerFacts};
use harness::bench::options::{Options, Scenario};
use harness::bench::report::Table;
use harness::bench::{at_once, document, in_flight, machine, model, reading, start, steady};
use harness::services::Services;
use sqlx::{Connection, PgConnection};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // A measurement that is dropped ends its processes and leaves nothing.
    let ended = tokio::select! {
        ended = run(&options) => ended,
        () = asked_to_stop() => return ExitCode::from(130),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "rb-ocr: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
    say(&conditions().await?)?;
    if options.has(Scenario::Start) {
        say(&start::measure(options).await?)?;
    }
    if options.has(Scenario::AtOnce) {
        say(&at_once::measure(options).await?)?;
    }
    if options.has(Scenario::Steady) {
        say(&steady::measure(options).await?)?;
    }
    if options.has(Scenario::InFlight) {
        say(&in_flight::measure(options).await?)?;
    }
    if options.has(Scenario::Reading) {
        say(&reading::measure(options).await?)?;
    }
    if options.has(Scenario::Model) {
        say(&model::measure(options).await?)?;
    }
    Ok(())
}

/// What the figures hold for.
async fn conditions() -> anyhow::Result<String> {
    let mut table = Table::new(["measured on", ""]);
    for (name, value) in machine::describe() {
        table.row([name.to_owned(), value]);
    }
    let mut connection = PgConnection::connect(Services::get().database_url.as_str()).await?;
    let settings = facts::durability(&mut connection).await?;
    connection.close().await?;
    let settings = settings.iter().map(|(name, setting)| format!("{name} {setting}")).collect::<Vec<_>>().join(", ");
    table.row(["PostgreSQL", &settings]);
    table.row(["RabbitMQ", &BrokerFacts::ask("rb-ocr").await?.version]);
    let path = format!("a PDF of {} KB, OCR_ENGINE=http and ANALYZER=llm with stand-ins", document::BYTES / 1000);
    table.row(["path", &path]);
    Ok(table.to_string())
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

async fn asked_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
