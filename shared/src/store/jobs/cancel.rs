//! Any state → leased by whoever cancels.

use uuid::Uuid;

use crate::store::StoreError;

/// A run's job that was taken from whoever had it.
#[derive(Clone, Debug)]
pub(in crate::store) struct TakenAway {
    /// Which.
    pub job_id: Uuid,
    /// What lets us write, and nobody else.
    pub token: Uuid,
    /// Of the run.
    pub generation: i32,
    /// What it was before: `waiting`, `published` or `leased`.
    pub was: String,
}

/// Leases the job of a run of this client, whatever its state; the token of an earlier lease is worth nothing from
/// then on. The lease does not outlive the transaction that ends the run.
pub(in crate::store) async fn take_away(
    transaction: &mut sqlx::PgTransaction<'_>,
    run_id: Uuid,
    client_id: Uuid,
    owner: &str,
) -> Result<Option<TakenAway>, StoreError> {
    Ok(sqlx::query_as!(
        TakenAway,
        r#"WITH held AS (
            SELECT job_id, CASE WHEN lease_token IS NOT NULL THEN 'leased'
                                WHEN published_at IS NOT NULL THEN 'published' ELSE 'waiting' END AS was
            FROM jobs WHERE run_id = $1 AND client_id = $2 AND kind = 'run'
            FOR UPDATE
        )
        UPDATE jobs SET
            work_ms = work_ms + coalesce(extract(epoch FROM least(lease_until, now()) - leased_at) * 1000, 0)::bigint,
            lease_token = $3, lease_owner = $4, leased_at = now(), lease_until = now()
        FROM held WHERE jobs.job_id = held.job_id
        RETURNING jobs.job_id, jobs.lease_token AS "token!", jobs.generation, held.was AS "was!""#,
        run_id,
        client_id,
        Uuid::new_v4(),
        owner,
    )
    .fetch_optional(&mut **transaction)
    .await?)
}
