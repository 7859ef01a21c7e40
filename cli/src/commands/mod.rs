//! One file for each command.

mod audit;
mod callbacks;
mod cancel;
mod clients;
mod compare;
mod dead;
mod doctor;
mod erase;
mod erasures;
mod evaluate;
mod export;
mod import;
mod jobs;
mod keys;
mod migrate;
mod names;
mod pause;
mod retention;
mod runs;
mod score;
mod secrets;
mod seed;
mod show;
mod stats;
mod submit;

use clap::Subcommand;

/// A command.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Brings the database's schema up to date
    Migrate,
    /// API keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Clients and their settings
    #[command(subcommand)]
    Clients(clients::Clients),
    /// What callbacks are signed with
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Deliveries to callers
    #[command(subcommand)]
    Callbacks(callbacks::Callbacks),
    /// Submits documents to the api
    Submit(submit::Args),
    /// Lists runs that fit, the newest first
    Runs(runs::Args),
    /// Shows a run
    Show(show::Args),
    /// Ends a run that is processing
    Cancel(cancel::Args),
    /// What is owed: runs, callbacks, erasures
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// What was given up
    #[command(subcommand)]
    Dead(dead::Dead),
    /// Who did what, and that nobody altered it
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Figures of the runs that ended
    #[command(subcommand)]
    Stats(stats::Stats),
    /// What is past its term
    #[command(subcommand)]
    Retention(retention::Retention),
    /// Erases all runs of a person
    Erase(erase::Args),
    /// What was erased
    #[command(subcommand)]
    Erasures(erasures::Erasures),
    /// Writes a day for the warehouse, without names and IIN
    Export(export::Args),
    /// Takes the run folders of the system before this one into the record
    Import(import::Args),
    /// Holds the verdicts of the system before against ours
    Compare(compare::Args),
    /// Writes runs that never were, for trying searches and figures on many
    Seed(seed::Args),
    /// Pauses intake, runs or callbacks in the whole fleet
    Pause(pause::PauseArgs),
    /// Ends a pause
    Resume(pause::ResumeArgs),
    /// Looks at everything that the service stands on, and says what is wrong and what to do
    Doctor(doctor::Args),
    /// Judges documents in this process and writes what came out
    Evaluate(evaluate::Args),
    /// Compares names pair by pair
    Names(names::Args),
    /// Holds what `evaluate` or `names` answered against labels
    #[command(subcommand)]
    Score(score::Score),
}

impl Command {
    /// Whether it does the service's own work, whose log is worth having.
    pub const fn works(&self) -> bool {
        matches!(self, Self::Evaluate(_))
    }

    /// Runs it.
    ///
    /// # Errors
    /// Why it failed.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        match self {
            Self::Migrate => migrate::run(json).await,
            Self::Keys(command) => command.run(json).await,
            Self::Clients(command) => command.run(json).await,
            Self::Secrets(command) => command.run(json).await,
            Self::Callbacks(command) => command.run(json).await,
            Self::Submit(args) => submit::run(&args, json).await,
            Self::Runs(args) => runs::run(&args, json).await,
            Self::Show(args) => show::run(&args, json).await,
            Self::Cancel(args) => cancel::run(&args, json).await,
            Self::Jobs(command) => command.run(json).await,
            Self::Dead(command) => command.run(json).await,
            Self::Audit(command) => command.run(json).await,
            Self::Stats(command) => command.run(json).await,
            Self::Retention(command) => command.run(json).await,
            Self::Erase(args) => erase::run(&args, json).await,
            Self::Erasures(command) => command.run(json).await,
            Self::Export(args) => export::run(&args, json).await,
            Self::Import(args) => import::run(&args, json).await,
            Self::Compare(args) => compare::run(&args, json).await,
            Self::Seed(args) => seed::run(&args, json).await,
            Self::Pause(args) => pause::pause(&args, json).await,
            Self::Doctor(args) => doctor::run(&args, json).await,
            Self::Resume(args) => pause::resume(&args, json).await,
            Self::Evaluate(args) => evaluate::run(&args, json).await,
            Self::Names(args) => names::run(&args, json),
            Self::Score(what) => what.run(json),
        }
    }
}
