//! published → leased, for runs: one statement for all that a worker was just given.

use std::time::Duration;

use chrono::NaiveDate;
use uuid::Uuid;

use super::lease::Lease;
use super::milliseconds;
use crate::store::{Pool, StoreError};

/// A run that is ours to work on.
#[derive(Clone, Debug)]
pub struct RunClaim {
    /// What lets us write.
    pub lease: Lease,
    /// Which run.
    pub run_id: Uuid,
    /// Whose.
    pub client_id: Uuid,
    /// Which generation.
    pub generation: i32,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What is left of its work budget and of its age, the shorter.
    pub time_left: Duration,
    /// `traceparent` of the request.
    pub trace_context: Option<String>,
    /// The applicant's name.
    pub fio: String,
    /// Where the document is.
    pub document_key: String,
    /// What the document is, as a media type.
    pub content_type: String,
    /// Its size in bytes.
    pub file_size_bytes: i64,
    /// The day its date is judged by.
    pub validity_day: NaiveDate,
    /// Its end is told to a caller.
    pub owes_callback: bool,
    /// The client has submitted the same file before.
    pub is_duplicate: bool,
}

/// On what terms runs are claimed.
#[derive(Clone, Copy, Debug)]
pub struct RunTerms<'a> {
    /// The worker's name.
    pub owner: &'a str,
    /// How long the lease lasts unless it is renewed.
    pub lease: Duration,
    /// A run that was tried so often is left alone.
    pub max_attempts: u32,
    /// `RUN_WORK_BUDGET`.
    pub work_budget: Duration,
}

/// Claims the jobs of runs, each named by its job's id and its run's. Answers one for each in the order given. None: it
/// is finished, erased, not due, out of time, paused, or somebody else's; its message is then settled and forgotten.
/// Of two deliveries of one job one wins.
///
/// # Errors
/// The database is away; none of them is claimed then.
pub async fn claim_runs(
    pool: &Pool,
    delivered: &[(Uuid, Uuid)],
    terms: RunTerms<'_>,
) -> Result<Vec<Option<RunClaim>>, StoreError> {
    // Rows are locked in one order by whoever claims, so that two workers with the same deliveries cannot wait for each
    // other.
    let mut order: Vec<usize> = (0..delivered.len()).collect();
    order.sort_unstable_by_key(|place| delivered[*place]);
    let tokens: Vec<Uuid> = order.iter().map(|_| Uuid::new_v4()).collect();
    let job_ids: Vec<Uuid> = order.iter().map(|place| delivered[*place].0).collect();
    let run_ids: Vec<Uuid> = order.iter().map(|place| delivered[*place].1).collect();
    let rows = sqlx::query!(
        r#"WITH claimed AS (
            UPDATE jobs SET
                work_ms = work_ms + coalesce(extract(epoch FROM least(lease_until, now()) - leased_at) * 1000, 0)::bigint,
                lease_token = d.token, lease_owner = $4, leased_at = now(),
                lease_until = now() + $5::bigint * interval '1 millisecond',
                attempts = attempts + 1, stage = 'acquire'
            FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS d (job_id, run_id, token)
            WHERE jobs.job_id = d.job_id AND jobs.run_id = d.run_id AND kind = 'run' AND available_at <= now()
              AND (lease_token IS NULL OR lease_until < now())
              AND attempts < $6 AND work_ms < $7 AND (expires_at IS NULL OR expires_at > now())
              AND NOT EXISTS (SELECT FROM switches WHERE name = 'runs' AND paused_at IS NOT NULL)
            RETURNING jobs.job_id, d.token, jobs.run_id, client_id, generation, attempts, trace_context,
                least($7 - work_ms, extract(epoch FROM expires_at - now()) * 1000)::bigint AS left_ms
        )
        SELECT c.job_id, c.token AS "token!", c.run_id, c.client_id, c.generation, c.attempts, c.trace_context,
               c.left_ms AS "left_ms!", r.fio AS "fio!", r.document_key AS "document_key!",
               r.content_type AS "content_type!", r.file_size_bytes AS "file_size_bytes!", r.validity_day,
               r.callback_url IS NOT NULL AS "owes_callback!", r.duplicate_of IS NOT NULL AS "is_duplicate!"
        FROM claimed c JOIN verification_runs r ON r.run_id = c.run_id"#,
        &job_ids,
        &run_ids,
        &tokens,
        terms.owner,
        milliseconds(terms.lease),
        i32::try_from(terms.max_attempts).unwrap_or(i32::MAX),
        milliseconds(terms.work_budget),
    )
    .fetch_all(pool)
    .await?;
    let mut claims = vec![None; delivered.len()];
    for row in rows {
        let Some(at) = tokens.iter().position(|token| *token == row.token) else { continue };
        claims[order[at]] = Some(RunClaim {
            lease: Lease { job_id: row.job_id, token: row.token },
            run_id: row.run_id,
            client_id: row.client_id,
            generation: row.generation,
            attempt: row.attempts,
            time_left: Duration::from_millis(u64::try_from(row.left_ms).unwrap_or(0)),
            trace_context: row.trace_context,
            fio: row.fio,
            document_key: row.document_key,
            content_type: row.content_type,
            file_size_bytes: row.file_size_bytes,
            validity_day: row.validity_day,
            owes_callback: row.owes_callback,
            is_duplicate: row.is_duplicate,
        });
    }
    Ok(claims)
}
