//! The fleet and what it owes: workers, jobs, dead letters, pauses, secrets.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::run_view::rfc3339;
use shared::secrets::Sealer;
use shared::store::jobs::Kind;
use shared::store::jobs::operate::{self, State, Wanted};
use shared::store::{client_secrets, clients, dead_jobs, switches, workers};

use super::Patient;
use super::finding::{Found, good, unasked, warning, wrong};
use crate::output::span;

/// All attempts of a run with the pauses between are over by then, unless something is away.
const OLD: Duration = Duration::from_secs(1800);
/// Sealed values that are tried.
const SEALED: u16 = 1000;

pub async fn workers(patient: &Patient) -> Vec<Found> {
    let alive = match workers::alive(&patient.pool).await {
        Ok(alive) => alive,
        Err(error) => return unasked(&error),
    };
    let working = alive.iter().filter(|worker| !worker.draining);
    let (count, slots) = working.fold((0, 0), |(count, slots), worker| (count + 1, slots + worker.run_slots));
    if count == 0 {
        return vec![wrong("no worker is alive: runs wait", "start one, and see that it reaches database and broker")];
    }
    let busy: i32 = alive.iter().map(|worker| worker.busy_runs).sum();
    let versions: BTreeSet<&str> = alive.iter().map(|worker| worker.version.as_str()).collect();
    let versions: Vec<&str> = versions.into_iter().collect();
    let mut found = vec![good(format!("{count} alive, {busy} of {slots} slots busy, version {}", versions.join(", ")))];
    if versions.len() > 1 {
        found.push(warning("workers of several versions are alive", "end the upgrade if none is under way"));
    }
    found
}

pub async fn jobs(patient: &Patient) -> Vec<Found> {
    let of = async |state, older_than| {
        operate::list(&patient.pool, &Wanted { kind: Some(Kind::Run), state, client: None, older_than }, 1).await
    };
    let (oldest, expired) = match (of(None, Duration::ZERO).await, of(Some(State::Expired), Duration::ZERO).await) {
        (Ok(oldest), Ok(expired)) => (oldest, expired),
        (Err(error), _) | (_, Err(error)) => return unasked(&error),
    };
    let mut found = match oldest.first() {
        None => vec![good("no run is owed")],
        Some(job) if job.age_seconds > OLD.as_secs_f64() => vec![warning(
            format!(
                "the oldest run has been owed for {}, it is {} with {} attempts",
                span(job.age_seconds),
                job.state,
                job.attempts
            ),
            format!("`rb-ocr jobs show {}`; docs/operations.md, the queue grows", job.job_id),
        )],
        Some(job) => vec![good(format!("the oldest run has been owed for {}", span(job.age_seconds)))],
    };
    if let Some(job) = expired.first() {
        found.push(warning(
            format!("the lease of job {} has run out", job.job_id),
            "upkeep returns it within 5 s of a living worker: if it stays, `rb-ocr jobs release`",
        ));
    }
    found
}

pub async fn dead_letters(patient: &Patient) -> Vec<Found> {
    match dead_jobs::count(&patient.pool).await {
        Ok(0) => vec![good("there are none")],
        Ok(count) => {
            vec![warning(format!("{count} were given up"), "`rb-ocr dead list`, then `dead retry` or `dead drop`")]
        }
        Err(error) => unasked(&error),
    }
}

pub async fn pauses(patient: &Patient) -> Vec<Found> {
    let paused = match switches::paused(&patient.pool).await {
        Ok(paused) => paused,
        Err(error) => return unasked(&error),
    };
    if paused.is_empty() {
        return vec![good("nothing is paused")];
    }
    let told = paused.iter().map(|pause| {
        let name = pause.switch.as_str();
        let what = format!("{name}: paused since {} by {}: {}", rfc3339(pause.at), pause.by, pause.reason);
        warning(what, format!("`rb-ocr resume {name}` ends it"))
    });
    told.collect()
}

pub async fn secrets(patient: &Patient) -> Vec<Found> {
    let sealed = match client_secrets::all_sealed(&patient.pool, SEALED).await {
        Ok(sealed) => sealed,
        Err(error) => return unasked(&error),
    };
    let Some(key) = &patient.settings.secrets_key else {
        let make = "set SECRETS_KEY to the fleet's, or to a new one (`openssl rand -base64 32`) where there is none";
        let count = sealed.len();
        return vec![match count {
            0 => warning("SECRETS_KEY is not set: no callback can be signed", make),
            _ => {
                wrong(format!("SECRETS_KEY is not set, and {count} secrets are kept: no callback can be signed"), make)
            }
        }];
    };
    let sealer = Sealer::new(key);
    let closed: BTreeSet<&str> = sealed
        .iter()
        .filter(|secret| {
            let context = if secret.credentials {
                clients::basic_context(secret.client_id)
            } else {
                client_secrets::secret_context(secret.client_id)
            };
            sealer.open(&secret.sealed, &context).is_err()
        })
        .map(|secret| secret.client.as_str())
        .collect();
    if closed.is_empty() {
        return vec![good(format!("SECRETS_KEY opens all {} secrets that are kept", sealed.len()))];
    }
    vec![wrong(
        format!("SECRETS_KEY does not open the secrets of {}", closed.into_iter().collect::<Vec<_>>().join(", ")),
        "use the key that they were made with, or make new ones: `rb-ocr secrets rotate`, `rb-ocr clients set --callback-basic`",
    )]
}
