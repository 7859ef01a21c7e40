//! `rb-ocr`: the command line. Every command takes `--json`.

mod commands;
mod comparing;
mod http;
mod importing;
mod output;
mod scoring;
mod store;
mod words;

use std::process::ExitCode;

use clap::Parser;
use shared::settings::Settings;
use shared::telemetry::{self, LogTo};

use commands::Command;

/// RB-OCR: verifies scanned documents.
#[derive(Parser, Debug)]
#[command(name = "rb-ocr", version)]
struct Arguments {
    /// Prints the answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    shared::tls::install();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "why a command failed")]
            {
                eprintln!("rb-ocr: {}", output::sentence(&error));
            }
            error.downcast_ref::<output::Status>().map_or(ExitCode::FAILURE, |ended| ExitCode::from(ended.status))
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Only commands that do the service's own work log; settings that are wrong are told by those that need them.
    let _telemetry = match Settings::from_env() {
        Ok(settings) if arguments.command.works() => Some(telemetry::init("rb-ocr", &settings, LogTo::Stderr)?),
        _ => None,
    };
    arguments.command.run(arguments.json).await
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn json_may_stand_behind_the_command() {
        let given = ["rb-ocr", "keys", "create", "--name", "demo", "--scopes", "submit,read,admin", "--json"];
        assert!(Arguments::try_parse_from(given).expect("is understood").json);
    }
}
