//! What may be asked of a bench.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// One of the things measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// From start to ready, and memory while nothing is to be done.
    Start,
    /// CPU a run, with stand-ins that answer at once.
    AtOnce,
    /// Latencies at a steady rate.
    Steady,
    /// Memory with many runs in flight in one worker.
    InFlight,
    /// CPU a page with the real Tesseract.
    Reading,
    /// Verdicts beside a model that knows the answers, and what asking it only in doubt saves.
    Model,
}

/// The arguments of `make bench ARGS='…'`.
#[derive(Clone, Debug, Parser)]
#[command(name = "make bench", about = "Measures release builds on the private services.")]
pub struct Options {
    /// What is measured; everything unless told.
    #[arg(value_enum)]
    pub scenarios: Vec<Scenario>,
    /// How often each is measured; medians are printed.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: u32,
    /// Workers, but for in-flight, which has one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub workers: u32,
    /// Runs of one repeat at once.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Submissions in hand at once.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Submissions a second in the steady scenario.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
    /// Seconds of one steady repeat.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub seconds: u32,
    /// Runs in flight at once.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..))]
    pub in_flight: u32,
    /// The documents that are read, in reading and model: a folder with a truth.jsonl.
    #[arg(long, default_value = "tests/documents")]
    pub documents: PathBuf,
    /// The ways to analyse, in model: as `ANALYZER` names them, comma between.
    #[arg(long, default_value = "rules,llm,both,cascade", value_delimiter = ',')]
    pub analyzers: Vec<String>,
}

impl Options {
    /// Whether a scenario is asked for.
    pub fn has(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured_unless_told() {
        let all = Options::try_parse_from(["bench"]).expect("no argument is needed");
        assert!(all.has(Scenario::Start) && all.has(Scenario::InFlight));
        let one = Options::try_parse_from(["bench", "steady", "--seconds", "5"]).expect("both are known");
        assert!(one.has(Scenario::Steady) && !one.has(Scenario::AtOnce));
        assert_eq!(one.seconds, 5);
        assert!(Options::try_parse_from(["bench", "--repeats", "0"]).is_err());
    }
}
