//! Where many runs stand, in one small statement: what the waiting requests of a process ask once a second.

use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::Stage;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which run.
    pub run_id: Uuid,
    /// What is being done with it; `done` when it has ended, erased runs too.
    pub stage: Stage,
    /// Claims so far.
    pub attempts: i32,
}

/// Where each of these runs stands.
///
/// # Errors
/// The database is unavailable, or a row cannot be read.
pub async fn of(pool: &Pool, run_ids: &[Uuid]) -> Result<Vec<Progress>, StoreError> {
    // A run is owed exactly as long as it has a job, so the small table of jobs knows it all.
    let rows = sqlx::query!(
        r#"SELECT wanted.run_id AS "run_id!", coalesce(j.stage, 'done') AS "stage!", coalesce(j.attempts, 0) AS "attempts!"
           FROM unnest($1::uuid[]) AS wanted (run_id)
           LEFT JOIN jobs j ON j.run_id = wanted.run_id AND j.kind = 'run'"#,
        run_ids
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| match row.stage.parse() {
            Ok(stage) => Ok(Progress { run_id: row.run_id, stage, attempts: row.attempts }),
            Err(_) => Err(StoreError::BadRow { table: "jobs", column: "stage", id: row.run_id }),
        })
        .collect()
}
