//! Makes an event that a caller is told of: its body, once and for all, and the job that delivers it. A
//! later event of a run replaces an earlier one that has not been delivered.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{StoreError, jobs, runs};
use crate::callback_body::{self, Event, EventType};
use crate::domain::{ErrorCode, Status};
use crate::run_view::{Reader, RunView};

/// A run that has just finished.
#[derive(Debug)]
pub(super) struct NewEvent<'a> {
    pub run_id: Uuid,
    pub client_id: Uuid,
    /// Counts from 1 for each run.
    pub sequence: i32,
    pub url: &'a str,
    /// `thin`, `full` or `plain`.
    pub form: &'a str,
    pub external_request_id: Option<&'a str>,
    pub status: Status,
    pub verdict: Option<bool>,
    pub errors: &'a [ErrorCode],
    pub at: DateTime<Utc>,
    pub trace_context: Option<&'a str>,
}

/// Makes the event in the transaction that finished the run.
pub(super) async fn make(transaction: &mut sqlx::PgTransaction<'_>, event: &NewEvent<'_>) -> Result<(), StoreError> {
    if event.sequence > 1 {
        supersede(transaction, event.run_id).await?;
    }
    let kind = if event.status == Status::Success { EventType::RunCompleted } else { EventType::RunFailed };
    let body = body(transaction, event, kind).await?;
    sqlx::query!(
        "WITH event AS (
            INSERT INTO callbacks (run_id, sequence, webhook_id, type, form, url, body, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            RETURNING run_id, sequence
        )
        INSERT INTO jobs (job_id, kind, run_id, client_id, payload, trace_context)
        SELECT $9, 'callback', run_id, $10, jsonb_build_object('sequence', sequence), $11 FROM event",
        event.run_id,
        event.sequence,
        callback_body::webhook_id(event.run_id, event.sequence),
        kind.as_str(),
        event.form,
        event.url,
        body,
        event.at,
        jobs::new_job_id(),
        event.client_id,
        event.trace_context,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn supersede(transaction: &mut sqlx::PgTransaction<'_>, run_id: Uuid) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM jobs WHERE run_id = $1 AND kind = 'callback'", run_id)
        .execute(&mut **transaction)
        .await?;
    sqlx::query!(
        "UPDATE callbacks SET state = 'superseded', ended_at = now() WHERE run_id = $1 AND state = 'pending'",
        run_id
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn body(
    transaction: &mut sqlx::PgTransaction<'_>,
    event: &NewEvent<'_>,
    kind: EventType,
) -> Result<String, StoreError> {
    let codes = event.errors;
    if event.form == "plain" {
        return Ok(callback_body::plain(event.run_id, event.external_request_id, event.verdict, codes));
    }
    let data = if event.form == "full" {
        let record = runs::find_in(&mut **transaction, &[event.run_id]).await?.pop();
        record.map_or_else(|| json!(null), |record| json!(RunView::new(record, Reader::Owner)))
    } else {
        callback_body::thin_data(event.run_id, event.external_request_id, event.status, event.verdict, codes)
    };
    Ok(Event { kind, timestamp: event.at, sequence: event.sequence, data }.body())
}
