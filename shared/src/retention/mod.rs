//! Keeping the terms: what is past its term leaves the database, by way of the archive. Whether the disk has followed
//! is nobody's business but the disk's: callers are answered by the terms themselves ([`crate::domain::terms`]).
//!
//! Everything here may be cut off at any point and begun anew. A row leaves the database only when the archive that has
//! it was read back, and an archive that already has a row takes the database's in its place, so that nothing is lost
//! and nothing doubled.

mod audit;
mod drop;
mod erased;
pub mod erasure_list;
mod find;
mod keep;
mod month;
mod plan;
mod rewrite;

use std::time::Duration;

use chrono::NaiveDate;
use tokio_util::sync::CancellationToken;

use crate::archive::{Archive, ArchiveError};
use crate::documents::Documents;
use crate::domain::terms::Terms;
use crate::store::{Pool, duties};

pub use erased::{Applied, apply_erasures};
pub use find::{Found, Place, find_in_archives};
pub use keep::Report;
pub use plan::{MonthPlan, Plan, plan};

/// Its name among the duties.
pub const DUTY: &str = "retention";

/// How long the duty is held at once; it is held on from step to step. Longer than any one step.
pub const TERM: Duration = Duration::from_secs(15 * 60);

/// Something that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What, in one word.
    pub what: &'static str,
    /// Of which month.
    pub month: Option<NaiveDate>,
    /// How many.
    pub count: u64,
}

/// Who keeps the terms: it has the duty, and stops when it has lost it.
pub struct Keeper {
    pool: Pool,
    documents: Documents,
    archive: Archive,
    terms: Terms,
    holder: String,
    stop: CancellationToken,
    told: Box<dyn Fn(Step) + Send + Sync>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Keeper {
    /// `holder` has the duty [`DUTY`] already. `scratch` is a folder of its own, with room for the largest table of a
    /// month three times.
    #[must_use]
    pub fn new(
        pool: Pool,
        documents: Documents,
        scratch: &std::path::Path,
        terms: Terms,
        holder: impl Into<String>,
        stop: CancellationToken,
    ) -> Self {
        let archive = Archive::new(documents.clone(), scratch);
        Self { pool, documents, archive, terms, holder: holder.into(), stop, told: Box::new(|_| {}) }
    }

    /// Tells of each step.
    #[must_use]
    pub fn telling(self, told: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self { told: Box::new(told), ..self }
    }

    fn did(&self, what: &'static str, month: Option<NaiveDate>, count: u64) {
        if count > 0 {
            (self.told)(Step { what, month, count });
        }
    }

    /// Holds the duty on; before every step that changes something.
    async fn go_on(&self) -> Result<(), ArchiveError> {
        if self.stop.is_cancelled() {
            return Err(ArchiveError::Stopped);
        }
        if duties::extend(&self.pool, DUTY, &self.holder, TERM).await? { Ok(()) } else { Err(ArchiveError::TakenOver) }
    }
}
