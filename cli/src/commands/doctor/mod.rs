//! `rb-ocr doctor`: looks at everything that the service stands on and says, a line each, what is wrong and what to
//! do. Every check has its time; those after one that failed are made all the same.

mod broker;
mod database;
mod finding;
mod fleet;
mod outside;
mod settings;

use std::time::Duration;

use anyhow::bail;
use futures::future::BoxFuture;
use serde_json::json;
use shared::settings::Settings;
use shared::store::{self, Pool};

use crate::output::show;
use finding::{Finding, Found, Grade, wrong};

/// What one check may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is left out.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Leaves a check out, such as `ocr` on a machine where no worker runs; may be given again
    #[arg(long, value_name = "CHECK")]
    skip: Vec<String>,
}

/// What the checks look at.
struct Patient {
    settings: Settings,
    /// Whether these are all of the settings: some could not be used, and only where things are was read.
    whole: bool,
    pool: Pool,
}

type Check = for<'a> fn(&'a Patient) -> BoxFuture<'a, Vec<Found>>;

/// Every check, in the order in which things stand on each other.
const CHECKS: &[(&str, Check)] = &[
    ("database", |patient| Box::pin(database::server(patient))),
    ("schema", |patient| Box::pin(database::schema(patient))),
    ("rights", |patient| Box::pin(database::rights(patient))),
    ("partitions", |patient| Box::pin(database::partitions(patient))),
    ("clock", |patient| Box::pin(database::clock(patient))),
    ("broker", |patient| Box::pin(broker::broker(patient))),
    ("queues", |patient| Box::pin(broker::queues(patient))),
    ("dead letters", |patient| Box::pin(fleet::dead_letters(patient))),
    ("documents", |patient| Box::pin(outside::documents(patient))),
    ("ocr", |patient| Box::pin(outside::ocr(patient))),
    ("model", |patient| Box::pin(outside::model(patient))),
    ("workers", |patient| Box::pin(fleet::workers(patient))),
    ("jobs", |patient| Box::pin(fleet::jobs(patient))),
    ("pauses", |patient| Box::pin(fleet::pauses(patient))),
    ("secrets", |patient| Box::pin(fleet::secrets(patient))),
];

/// Makes all checks.
///
/// # Errors
/// Something is wrong, or a check of that name is not known.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let names = || std::iter::once("settings").chain(CHECKS.iter().map(|(name, _)| *name));
    if let Some(unknown) = args.skip.iter().find(|skip| !names().any(|name| name == **skip)) {
        bail!("there is no check {unknown}: {}", names().collect::<Vec<_>>().join(", "));
    }
    let mut findings = Vec::new();
    let mut tell = |check: &'static str, found: Vec<Found>| {
        let told = found.into_iter().map(|(grade, what, advice)| Finding { check, grade, what, advice });
        for finding in told {
            if !json {
                show(false, &finding, || finding.line());
            }
            findings.push(finding);
        }
    };
    let (settings, whole, found) = settings::read();
    tell("settings", found);
    match settings.and_then(|settings| Some((store::connect(&settings.database, "rb-ocr doctor").ok()?, settings))) {
        Some((pool, settings)) => {
            let patient = Patient { settings, whole, pool };
            for (name, check) in CHECKS.iter().filter(|(name, _)| !args.skip.iter().any(|skip| skip == name)) {
                tell(name, patiently(check(&patient)).await);
            }
        }
        None => tell("database", vec![wrong("DATABASE_URL cannot be read: nothing else was looked at", "mend it")]),
    }
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    let (faults, warnings) = (count(Grade::Wrong), count(Grade::Warning));
    if json {
        show(true, &json!({ "findings": findings, "wrong": faults, "warnings": warnings }), String::new);
    }
    if faults > 0 { bail!("{faults} wrong, {warnings} warnings") } else { Ok(()) }
}

async fn patiently(check: BoxFuture<'_, Vec<Found>>) -> Vec<Found> {
    let late =
        |_| vec![wrong(format!("gave no answer within {} s", PATIENCE.as_secs()), "see whether it is overloaded")];
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(late)
}
