//! Who is told of a run's stages while it works.

use std::time::Duration;

use shared::domain::{ErrorCode, Stage};

/// Hears of stages. Never waits.
pub trait Progress: Send + Sync {
    /// A stage began.
    fn started(&self, stage: Stage);
    /// A stage ended, with an error or without.
    fn ended(&self, stage: Stage, error: Option<ErrorCode>, took: Duration);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn started(&self, _: Stage) {}
    fn ended(&self, _: Stage, _: Option<ErrorCode>, _: Duration) {}
}
