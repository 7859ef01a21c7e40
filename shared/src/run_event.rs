//! What happens to a run while it is processed, as workers tell it to every api process. Ids and
//! stages only: who may read the run reads the rest from the store.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::Stage;

/// Whether a stage begins or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// Work on it has begun.
    Started,
    /// It is over.
    Ended,
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    /// A stage began or ended.
    Stage {
        /// Which run.
        run_id: Uuid,
        /// Which stage.
        stage: Stage,
        /// Began or ended.
        state: StageState,
        /// Which attempt, from 1.
        attempt: i32,
        /// When, by the worker that tells it.
        at: DateTime<Utc>,
    },
    /// The run has ended: its record is final.
    Finished {
        /// Which run.
        run_id: Uuid,
    },
}

impl RunEvent {
    /// Which run.
    #[must_use]
    pub const fn run_id(&self) -> Uuid {
        match self {
            Self::Stage { run_id, .. } | Self::Finished { run_id } => *run_id,
        }
    }
}
