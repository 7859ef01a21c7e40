//! `dead_jobs`: what was given up, for an operator to look at.

use uuid::Uuid;

use super::{Pool, StoreError, jobs};

/// A dead letter of the broker, on its way into the table.
#[derive(Clone, Debug)]
pub struct NewDeadMessage {
    /// Which job it named; none: it cannot be read.
    pub job_id: Option<Uuid>,
    /// Which run.
    pub run_id: Option<Uuid>,
    /// Why the broker set it aside.
    pub reason: String,
}

/// Keeps dead letters of the broker. A letter that is kept already, or whose job lives on, adds nothing: upkeep
/// publishes that job again.
///
/// # Errors
/// The database is away.
pub async fn keep_messages(pool: &Pool, letters: &[NewDeadMessage]) -> Result<u64, StoreError> {
    let mut kept = 0;
    for letter in letters {
        let done = sqlx::query!(
            "INSERT INTO dead_jobs (job_id, kind, run_id, reason)
             SELECT $1, 'message', $2, 'broker: ' || $3::text
             WHERE NOT EXISTS (SELECT FROM jobs WHERE job_id = $1)
             ON CONFLICT (job_id) DO NOTHING",
            letter.job_id.unwrap_or_else(jobs::new_job_id),
            letter.run_id,
            letter.reason,
        )
        .execute(pool)
        .await?;
        kept += done.rows_affected();
    }
    Ok(kept)
}
