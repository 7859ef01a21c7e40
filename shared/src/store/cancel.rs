//! Cancelling a run: whatever its job's state is, the run ends now.

use std::net::IpAddr;

use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Event};
use super::finish::{self, Finish, Finished};
use super::jobs::{self, Lease};
use super::{Pool, StoreError};
use crate::domain::ErrorCode;

/// Who cancels.
#[derive(Clone, Debug)]
pub struct Canceller<'a> {
    /// The api key.
    pub actor: &'a str,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
}

/// How a run ends that is cancelled.
#[must_use]
pub fn ending(actor: &str) -> Finish {
    Finish {
        errors: vec![ErrorCode::Cancelled],
        error_details: Some("its client cancelled it".into()),
        worker: actor.to_owned(),
        ..Finish::default()
    }
}

/// Ends a run of this client with CANCELLED, as any run ends: with its callback where one is owed. Its job is
/// leased anew first, which takes the run away from whoever is working on it: of a cancellation and whatever else
/// would end, put off, claim or erase the run at the same moment exactly one happens, since each of them needs the
/// job as it found it. None: nothing of this client's was processing.
///
/// # Errors
/// The database is unavailable; the run goes on.
pub async fn cancel(
    pool: &Pool,
    run_id: Uuid,
    client_id: Uuid,
    canceller: &Canceller<'_>,
) -> Result<Option<Finished>, StoreError> {
    let mut transaction = pool.begin().await?;
    let Some(job) = jobs::take_away(&mut transaction, run_id, client_id, canceller.actor).await? else {
        return Ok(None);
    };
    let lease = Lease { job_id: job.job_id, token: job.token };
    let Some(finished) = finish::finish_in(&mut transaction, lease, run_id, &ending(canceller.actor)).await? else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let event = Event {
        client_id: Some(client_id),
        actor: canceller.actor,
        action: "run.cancelled",
        run_id: Some(run_id),
        ip_address: canceller.ip_address,
        outcome: "done",
        details: json!({ "generation": job.generation, "was": job.was }),
    };
    audit::add(&mut *transaction, &event).await?;
    transaction.commit().await?;
    Ok(Some(finished))
}
