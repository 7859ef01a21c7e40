//! What the rows say: the reference's own shape, and what of it is a matter of time.

use std::collections::BTreeMap;

use shared::store::Pool;
use uuid::Uuid;

use super::reference::{Job, Place, Reference, Run};
use super::world::BUDGET;

/// What the database's clock makes of a job now.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// It may be begun.
    pub due: bool,
    /// Its lease has run out.
    pub expired: bool,
    /// Its run is too old.
    pub old: bool,
    /// Its work is used up.
    pub spent: bool,
    /// Its message may be missed.
    pub late: bool,
}

/// The rows of a client.
#[derive(Default)]
pub struct Observed {
    /// As they must be.
    pub rows: Reference,
    /// By job.
    pub clocks: BTreeMap<Uuid, Clock>,
}

type JobColumns = (
    Uuid,
    String,
    Uuid,
    i32,
    Option<bool>,
    Option<Uuid>,
    i32,
    i32,
    bool,
    Option<bool>,
    Option<bool>,
    bool,
    Option<bool>,
);

const JOBS: &str =
    "SELECT job_id, kind, run_id, generation, published_at IS NOT NULL, lease_token, attempts, publish_no,
        available_at <= now(), lease_until < now(), expires_at <= now(), work_ms >= $2,
        published_at < now() - interval '10 seconds' * (2 ^ least(republished, 10))
    FROM jobs WHERE client_id = $1";
const RUNS: &str = "SELECT run_id, status, generation, error_code, callback_url IS NOT NULL, event_sequence
    FROM verification_runs WHERE client_id = $1";
const RESULTS: &str = "SELECT run_id, (details ->> 'generation')::int, count(*) FROM audit_events
    WHERE client_id = $1 AND action = 'run.finished' GROUP BY 1, 2";
const CANCELLED: &str = "SELECT run_id, (details ->> 'generation')::int, details ->> 'was' FROM audit_events
    WHERE client_id = $1 AND action = 'run.cancelled'";
const PENDING: &str = "SELECT c.run_id, count(*) FROM callbacks c JOIN verification_runs r USING (run_id)
    WHERE r.client_id = $1 AND c.state = 'pending' GROUP BY 1";

/// Reads them.
///
/// # Errors
/// What in them cannot be, whatever led to it.
pub async fn observe(pool: &Pool, client_id: Uuid) -> Result<Observed, String> {
    let failed = |error: sqlx::Error| format!("the rows cannot be read: {error}");
    let budget = i64::try_from(BUDGET.as_millis()).unwrap_or(i64::MAX);
    let jobs: Vec<JobColumns> =
        sqlx::query_as(JOBS).bind(client_id).bind(budget).fetch_all(pool).await.map_err(failed)?;
    let mut seen = Observed { rows: Reference::default(), clocks: BTreeMap::new() };
    for (job_id, kind, run_id, generation, published, token, attempts, publish_no, due, expired, old, spent, late) in
        jobs
    {
        let place = match (token, published) {
            (Some(token), _) => Place::Leased(token),
            (None, Some(true)) => Place::Published,
            (None, _) => Place::Waiting,
        };
        let kind = ["run", "callback", "erase"].into_iter().find(|known| *known == kind).ok_or("a kind")?;
        if seen.rows.owed.insert((run_id, kind), Job { job_id, place, generation, attempts, publish_no }).is_some() {
            return Err(format!("the run owes two jobs of the kind {kind}"));
        }
        let (expired, old, late) = (expired == Some(true), old == Some(true), late == Some(true));
        seen.clocks.insert(job_id, Clock { due, expired, old, spent, late });
    }
    let runs: Vec<(Uuid, String, i32, Option<String>, bool, i32)> =
        sqlx::query_as(RUNS).bind(client_id).fetch_all(pool).await.map_err(failed)?;
    seen.rows.runs = runs
        .into_iter()
        .map(|(id, status, generation, error_code, told, events)| {
            (id, Run { status, generation, error_code, told, events })
        })
        .collect();
    let results: Vec<(Uuid, i32, i64)> =
        sqlx::query_as(RESULTS).bind(client_id).fetch_all(pool).await.map_err(failed)?;
    for (run_id, generation, times) in results {
        if times != 1 {
            return Err(format!("generation {generation} was decided {times} times"));
        }
        seen.rows.results.insert((run_id, generation));
    }
    let cancelled: Vec<(Uuid, i32, String)> =
        sqlx::query_as(CANCELLED).bind(client_id).fetch_all(pool).await.map_err(failed)?;
    for (run_id, generation, was) in cancelled {
        let was = ["waiting", "published", "leased"].into_iter().find(|known| *known == was).ok_or("a state")?;
        if seen.rows.cancelled.insert((run_id, generation), was).is_some() {
            return Err(format!("generation {generation} was cancelled twice"));
        }
    }
    let pending: Vec<(Uuid, i64)> = sqlx::query_as(PENDING).bind(client_id).fetch_all(pool).await.map_err(failed)?;
    let pending: BTreeMap<Uuid, i64> = pending.into_iter().collect();
    for run_id in seen.rows.runs.keys() {
        let owed = i64::from(seen.rows.owed.contains_key(&(*run_id, "callback")));
        if pending.get(run_id).copied().unwrap_or(0) != owed {
            return Err(format!("{:?} events are pending and {owed} deliveries are owed", pending.get(run_id)));
        }
    }
    Ok(seen)
}
