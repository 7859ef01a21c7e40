//! `jobs`: what is owed. One function for each transition; every one names the state it starts from, so
//! that a slow process cannot undo what a faster one did.
//!
//! ```text
//! waiting ──publish──▶ published ──claim──▶ leased ──finish──▶ gone
//!    ▲  ◀──unmark────────┘  ▲                  │
//!    └──── retry, give_back, expire ───────────┘
//!    └──────────┬───────────┴──── cancel ──────▶ gone
//! ```

mod backlog;
mod cancel;
mod claim;
mod claim_runs;
mod count;
mod lease;
pub mod operate;
mod publish;
mod upkeep;

pub use backlog::waiting_runs;
pub(super) use cancel::take_away;
pub use claim::{CallbackClaim, EraseClaim, claim_callback, claim_erase};
pub use claim_runs::{RunClaim, RunTerms, claim_runs};
pub use count::{LaneCount, count};
pub use lease::{Lease, give_back, note_stages, renew, retry, settle};
pub use publish::{Filled, PublishedJob, fill_windows, unmark};
pub use upkeep::{EndedJob, Ending, expire_leases, missing_jobs, republish, take_timed_out};

use uuid::Uuid;

use super::StoreError;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A run through the pipeline.
    Run,
    /// A delivery to a caller.
    Callback,
    /// Files to take out of the document store.
    Erase,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Run, Self::Callback, Self::Erase];

    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Callback => "callback",
            Self::Erase => "erase",
        }
    }
}

/// One of the queues that jobs travel by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Urgent runs.
    RunsHigh,
    /// All other runs.
    RunsNormal,
    /// Callbacks.
    Callbacks,
    /// Erasures.
    Erase,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::RunsHigh, Self::RunsNormal, Self::Callbacks, Self::Erase];

    /// The end of its queue's name, and its label in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunsHigh => "runs.high",
            Self::RunsNormal => "runs.normal",
            Self::Callbacks => "callbacks",
            Self::Erase => "erase",
        }
    }

    /// What its jobs are for.
    pub const fn kind(self) -> Kind {
        match self {
            Self::RunsHigh | Self::RunsNormal => Kind::Run,
            Self::Callbacks => Kind::Callback,
            Self::Erase => Kind::Erase,
        }
    }

    /// The switch that pauses it.
    const fn switch(self) -> Option<&'static str> {
        match self {
            Self::RunsHigh | Self::RunsNormal => Some(super::switches::Switch::Runs.as_str()),
            Self::Callbacks => Some(super::switches::Switch::Callbacks.as_str()),
            Self::Erase => None,
        }
    }

    /// The priority of its jobs.
    pub const fn priority(self) -> &'static str {
        match self {
            Self::RunsHigh => "high",
            _ => "normal",
        }
    }

    fn of(kind: &str, priority: &str) -> Self {
        match (kind, priority) {
            ("callback", _) => Self::Callbacks,
            ("erase", _) => Self::Erase,
            (_, "high") => Self::RunsHigh,
            _ => Self::RunsNormal,
        }
    }
}

/// Milliseconds for a column that counts them.
pub(super) fn milliseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Waits until nobody else writes the jobs of a run, and keeps them to this transaction. The run's own job comes
/// first, as in the statement that ends a run, so that the two cannot wait for each other.
pub(super) async fn lock_all_of(transaction: &mut sqlx::PgTransaction<'_>, run_id: Uuid) -> Result<(), StoreError> {
    sqlx::query!("SELECT job_id FROM jobs WHERE run_id = $1 ORDER BY kind <> 'run', job_id FOR UPDATE", run_id)
        .fetch_all(&mut **transaction)
        .await?;
    Ok(())
}

/// A new id for a job: only its uniqueness matters, the order of jobs is `available_at`.
pub(super) fn new_job_id() -> Uuid {
    Uuid::now_v7()
}
