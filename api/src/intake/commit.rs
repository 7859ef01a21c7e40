//! Makes a judged submission a run: the document becomes durable, then one statement inserts the rest.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use shared::documents::Upload;
use shared::domain::names::fio_search;
use shared::store::StoreError;
use shared::store::api_keys::Caller;
use shared::store::intake::{self, NewRun, ReservedKey};
use shared::telemetry::TraceContext;
use uuid::Uuid;

use super::{Guard, Submission};
use crate::problem::{Code, Problem};
use crate::state::App;

/// A run that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its id.
    pub run_id: Uuid,
    /// The time inside it.
    pub created_at: DateTime<Utc>,
    /// Until when its idempotency key is kept.
    pub key_expires_at: Option<DateTime<Utc>>,
}

/// What a run is begun with.
pub struct Beginning {
    /// The id it will have.
    pub run_id: Uuid,
    /// The time inside it.
    pub created_at: DateTime<Utc>,
    /// Where its document is written.
    pub document_key: String,
    /// The upload, complete but not yet finished.
    pub upload: Upload,
    /// Its idempotency key.
    pub guard: Option<Guard>,
    /// What was submitted.
    pub submission: Submission,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// The request's trace.
    pub trace: TraceContext,
}

/// Begins a run. Call it in a task of its own: a caller that goes away must not stop it between the document
/// and the row.
///
/// # Errors
/// 409 where the idempotency key was lost meanwhile; 503.
pub async fn begin(app: &App, caller: &Caller, beginning: Beginning) -> Result<Begun, Problem> {
    let Beginning { run_id, created_at, document_key, upload, guard, submission, ip_address, trace } = beginning;
    let Submission { fields, document, taken_object, content_hash } = submission;
    let document = document.expect("a submission that is not a repeat has its document");
    let finished = upload.finish().await;
    if let Err(error) = finished {
        release(guard).await;
        return Err(error.into());
    }
    let today = created_at.with_timezone(&app.rules.time_zone).date_naive();
    let run = NewRun {
        run_id,
        created_at,
        client_id: caller.client_id,
        created_by: caller.key_id,
        ip_address,
        fio_search: fio_search(&fields.fio),
        fio: fields.fio,
        iin: fields.iin,
        external_request_id: fields.external_request_id,
        metadata: fields.metadata,
        priority: fields.priority,
        callback_url: fields.callback_url,
        original_filename: document.filename,
        document_key,
        content_type: document.content_type,
        file_size_bytes: i64::try_from(document.size).unwrap_or(i64::MAX),
        sha256: document.sha256,
        validity_day: app.rules.judge_as_of.unwrap_or(today),
        trace_id: trace.trace_id(),
        trace_context: trace.to_string(),
        max_age: app.rules.run_max_age,
    };
    let reserved = guard.as_ref().map(|guard| ReservedKey { key: guard.key.clone(), token: guard.token, content_hash });
    match intake::begin(&app.pool, &run, reserved.as_ref()).await {
        Ok(true) => {}
        Ok(false) => {
            discard(app, &run.document_key).await;
            return Err(Problem::new(Code::IdempotencyInProgress, "Another submission has taken the key."));
        }
        Err(error) => {
            if surely_not_begun(&error) {
                discard(app, &run.document_key).await;
            }
            release(guard).await;
            return Err(error.into());
        }
    }
    tracing::info!(%run_id, "a run has begun");
    app.relay.committed();
    let key_expires_at = guard.as_ref().map(|guard| guard.expires_at);
    if let Some(guard) = guard {
        guard.complete();
    }
    if let Some(key) = taken_object {
        discard(app, &key).await;
    }
    Ok(Begun { run_id, created_at, key_expires_at })
}

/// Whether the statement cannot have been committed. A connection that broke in the middle says nothing: the
/// document then stays, and the daily duty that looks for documents without a run decides.
fn surely_not_begun(error: &StoreError) -> bool {
    match error {
        StoreError::Refused(_) | StoreError::BadRow { .. } => true,
        StoreError::Unavailable(_) => error.never_sent(),
    }
}

async fn discard(app: &App, key: &str) {
    if let Err(error) = app.documents.delete(key).await {
        tracing::warn!(%error, "an object that is not needed any more could not be deleted");
    }
}

async fn release(guard: Option<Guard>) {
    if let Some(guard) = guard {
        guard.free().await;
    }
}
