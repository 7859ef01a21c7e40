//! waiting → published, and back when the broker did not take it.

use uuid::Uuid;

use super::Lane;
use crate::store::{Pool, StoreError};

/// A job that was marked published and must now be published.
#[derive(Clone, Debug)]
pub struct PublishedJob {
    /// Which job.
    pub job_id: Uuid,
    /// Which run it is about.
    pub run_id: Uuid,
    /// Where it goes.
    pub lane: Lane,
    /// Which publishing this is: an unmark names it.
    pub publish_no: i32,
    /// `traceparent` of the request.
    pub trace_context: Option<String>,
}

/// What [`fill_windows`] did.
#[derive(Debug)]
pub struct Filled {
    /// To be published now.
    pub jobs: Vec<PublishedJob>,
    /// More is due than the windows had room for.
    pub more: bool,
}

/// Marks due jobs published, as many as the windows have room for. The window of a queue is twice the slots
/// of the live workers, 8 at least; what is published and unclaimed fills it. Clients that have due jobs
/// take turns, the one with the fewest jobs in the window first.
///
/// # Errors
/// The database is away.
pub async fn fill_windows(pool: &Pool) -> Result<Filled, StoreError> {
    let rows = sqlx::query_file!("src/store/jobs/fill_windows.sql").fetch_all(pool).await?;
    let more = rows.iter().any(|row| row.more);
    let jobs = rows
        .into_iter()
        .filter_map(|row| {
            Some(PublishedJob {
                job_id: row.job_id?,
                run_id: row.run_id?,
                lane: Lane::of(&row.kind?, &row.priority?),
                publish_no: row.publish_no?,
                trace_context: row.trace_context,
            })
        })
        .collect();
    Ok(Filled { jobs, more })
}

/// Takes back the mark of publishings that the broker did not confirm. A job that was claimed meanwhile, or
/// published again, is left alone.
///
/// # Errors
/// The database is away; upkeep then finds the messages missing.
pub async fn unmark(pool: &Pool, publishings: &[(Uuid, i32)]) -> Result<u64, StoreError> {
    let (ids, numbers): (Vec<Uuid>, Vec<i32>) = publishings.iter().copied().unzip();
    let done = sqlx::query!(
        "UPDATE jobs SET published_at = NULL
         FROM unnest($1::uuid[], $2::int[]) AS p (job_id, publish_no)
         WHERE jobs.job_id = p.job_id AND jobs.publish_no = p.publish_no
           AND jobs.lease_token IS NULL AND jobs.published_at IS NOT NULL",
        &ids,
        &numbers
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
