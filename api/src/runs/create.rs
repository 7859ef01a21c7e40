//! `POST /v1/runs`: a submission.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::header::EXPECT;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use shared::access::Scope;
use shared::documents::document_key;
use shared::domain::{Priority, Status};
use shared::run_view::RunView;
use shared::settings::Limits;
use shared::store::api_keys::Caller;
use shared::store::budgets::OverBudget;
use shared::store::runs;
use shared::store::switches::Switch;
use tracing::field::display;
use tracing::{Instrument as _, Span};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Accepted, find};
use crate::auth::{caller, need, reader};
use crate::backlog::Place;
use crate::intake::{self, Beginning, Incoming, Reserved, Sink};
use crate::problem::{Code, Problem, ProblemBody};
use crate::rate_limit::Standing;
use crate::request::RequestContext;
use crate::state::App;
use crate::wait;

/// When to come back while the intake is paused.
const PAUSED: Duration = Duration::from_secs(60);

/// What a form has beside its file.
const FORM_BYTES: u64 = 1024 * 1024;

/// A submission as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in OpenAPI; the parts are read as they arrive")]
pub struct SubmissionForm {
    /// PDF, JPEG, PNG or TIFF, 50 MiB at most.
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// Surname, given name, patronymic: 2 words at least, 3 to 200 characters.
    #[schema(example = "Иванов Иван Иванович", min_length = 3, max_length = 200)]
    fio: String,
    /// Where the end is told: `https` to a public host.
    #[schema(max_length = 2048)]
    callback_url: Option<String>,
    /// The caller's own number.
    #[schema(min_length = 1, max_length = 255)]
    external_request_id: Option<String>,
    /// 12 digits.
    #[schema(pattern = "^[0-9]{12}$")]
    iin: Option<String>,
    /// `normal` unless told; `high` for clients that may.
    priority: Option<Priority>,
    /// A JSON object, 16 KiB at most.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// A submission of an object that lies in the document store.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body in OpenAPI; it is read member by member")]
pub struct SubmissionJson {
    /// An object under `incoming/{client}/`.
    #[schema(example = "incoming/bank/2026/order.pdf")]
    object_key: String,
    /// Keeps the object; unless told it is deleted when the run has begun.
    keep_object: Option<bool>,
    /// As in the form.
    #[schema(example = "Иванов Иван Иванович", min_length = 3, max_length = 200)]
    fio: String,
    /// As in the form.
    #[schema(max_length = 2048)]
    callback_url: Option<String>,
    /// As in the form.
    #[schema(min_length = 1, max_length = 255)]
    external_request_id: Option<String>,
    /// As in the form.
    #[schema(pattern = "^[0-9]{12}$")]
    iin: Option<String>,
    /// As in the form.
    priority: Option<Priority>,
    /// As in the form.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// Submits a document for verification.
#[utoipa::path(
    post, path = "/v1/runs", tag = "runs",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable characters, quoted or bare; kept 48 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: waits up to N seconds (60 at most) for the run to finish"),
    ),
    request_body(content((SubmissionForm = "multipart/form-data"), (SubmissionJson = "application/json"))),
    responses(
        (status = 200, description = "The run has finished while the request waited", body = RunView,
            headers(("Preference-Applied" = String, description = "`wait=N`"), ("Idempotency-Expires" = String), ("Idempotent-Replayed" = String))),
        (status = 202, description = "The run has begun", body = Accepted,
            headers(("Location" = String), ("Retry-After" = u32), ("Idempotency-Expires" = String), ("Idempotent-Replayed" = String),
                ("RateLimit-Policy" = String), ("RateLimit" = String))),
        (status = 400, description = "MALFORMED_REQUEST", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "UNAUTHENTICATED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 402, description = "BUDGET_SPENT: the client's budget for the model is spent this month", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "FORBIDDEN", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "IDEMPOTENCY_IN_PROGRESS", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "RUN_ERASED, RUN_EXPIRED (of a repeat)", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "FILE_TOO_LARGE", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "UNSUPPORTED_MEDIA_TYPE", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "VALIDATION_FAILED, IDEMPOTENCY_KEY_REUSED, CALLBACK_URL_REFUSED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "RATE_LIMITED", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32), ("RateLimit-Policy" = String, description = "`\"default\";q=600;w=60`"),
                ("RateLimit" = String, description = "`\"default\";r=50;t=30`"))),
        (status = 503, description = "DATABASE_UNAVAILABLE, STORE_UNAVAILABLE, BACKLOG_FULL (also while the intake is paused)", body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After" = u32))),
    )
)]
pub async fn create(
    State(app): State<App>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let incoming = Incoming::new(body, Limits::UPLOAD_BYTES + FORM_BYTES);
    let (answered, standing) = match admit(&app, &parts).await {
        Err(problem) => (Err(problem), None),
        Ok((_, standing)) if !standing.permitted => (Err(standing.refused(Instant::now())), Some(standing)),
        Ok((caller, standing)) => (submit(&app, &caller, &context, &parts, &incoming).await, Some(standing)),
    };
    let mut answer = match answered {
        Ok(answer) => answer,
        Err(problem) => {
            app.metrics.submission_refused(problem.code.as_str());
            // Who asked whether to send (100-continue) has not sent yet and reads the refusal; everybody else
            // is still sending and would find a broken connection instead of it.
            if !(incoming.untouched() && parts.headers.contains_key(EXPECT)) {
                incoming.drain().await;
            }
            problem.into_response()
        }
    };
    if let Some(standing) = standing {
        standing.tell(&mut answer, Instant::now());
    }
    answer
}

/// Who submits, and how the client stands with its rate: counted before anything of the body is read.
async fn admit(app: &App, parts: &Parts) -> Result<(Arc<Caller>, Standing), Problem> {
    let caller = caller(app, &parts.headers).await?;
    need(&caller, Scope::Submit)?;
    let limit = caller.rate_limit.unwrap_or(app.rules.rate_limit);
    let standing = app.rate.submission(&app.pool, caller.client_id, limit).await?;
    Ok((caller, standing))
}

async fn submit(
    app: &App,
    caller: &Arc<Caller>,
    context: &RequestContext,
    parts: &Parts,
    incoming: &Incoming,
) -> Result<Response, Problem> {
    incoming.declared(&parts.headers)?;
    let key = intake::header(&parts.headers)?;
    let seconds = wait::preferred(&parts.headers).filter(|seconds| *seconds > 0);
    let guard = match key {
        None => None,
        Some(key) => match intake::reserve(app, caller.client_id, key).await? {
            Reserved::Ours(guard) => Some(guard),
            Reserved::Repeat { run_id, content_hash, expires_at } => {
                let mut sink = Sink::comparing(content_hash.clone());
                let submission = intake::read(app, caller, parts, incoming, &mut sink).await?;
                if submission.content_hash != content_hash {
                    let detail = "Another submission was made under this key.";
                    return Err(Problem::new(Code::IdempotencyKeyReused, detail));
                }
                return replay(app, caller, context, run_id, expires_at, seconds).await;
            }
        },
    };
    begin(app, caller, context, parts, incoming, guard, seconds).await
}

async fn begin(
    app: &App,
    caller: &Arc<Caller>,
    context: &RequestContext,
    parts: &Parts,
    incoming: &Incoming,
    guard: Option<intake::Guard>,
    seconds: Option<u64>,
) -> Result<Response, Problem> {
    let place = match place(app, caller).await {
        Ok(place) => place,
        Err(problem) => {
            if let Some(guard) = guard {
                guard.free().await;
            }
            return Err(problem);
        }
    };
    let document_key = document_key(app.clock.now(), Uuid::new_v4());
    let mut sink = Sink::storing(app.documents.begin(&document_key)?, guard);
    let submission = intake::read(app, caller, parts, incoming, &mut sink).await?;
    let upload = sink.upload.take().expect("a sink that stores has its upload");
    let (run_id, created_at) = app.clock.new_run_id();
    Span::current().record("run_id", display(run_id));
    // Registered before anybody can know of the run: its end cannot be missed.
    let waiter = seconds.and_then(|seconds| Some((seconds, app.hub.register(run_id)?)));
    let beginning = Beginning {
        run_id,
        created_at,
        document_key,
        upload,
        guard: sink.guard.take(),
        submission,
        ip_address: context.ip_address,
        trace: context.trace,
        place,
    };
    let task = {
        let (app, caller) = (Arc::clone(app), Arc::clone(caller));
        tokio::spawn(async move { intake::begin(&app, &caller, beginning).await }.in_current_span())
    };
    let begun = task.await.map_err(|_| Problem::new(Code::InternalError, "Something of ours failed."))??;
    let finished = match waiter {
        Some((seconds, waiter)) => wait::ended(app, run_id, waiter, None, seconds).await?,
        None => None,
    };
    let mut answer = match finished.filter(|record| record.status != Status::Processing) {
        Some(record) => whole(RunView::new(record, reader(caller)), seconds),
        None => Accepted { run_id, status: Status::Processing, created_at }.answer(),
    };
    if let Some(expires_at) = begun.key_expires_at {
        key_headers(&mut answer, expires_at, false);
    }
    Ok(answer)
}

/// Answers a repeat with the first run, as a submission now would be answered: `processing`, unless it waits.
async fn replay(
    app: &App,
    caller: &Caller,
    context: &RequestContext,
    run_id: Uuid,
    expires_at: DateTime<Utc>,
    seconds: Option<u64>,
) -> Result<Response, Problem> {
    let waiter = seconds.and_then(|seconds| Some((seconds, app.hub.register(run_id)?)));
    let record = find::known(app, runs::find(&app.pool, run_id).await?, caller, run_id, false).await?;
    let created_at = record.created_at;
    let finished = match waiter {
        Some((seconds, waiter)) => wait::ended(app, run_id, waiter, Some(record), seconds).await?,
        None => None,
    };
    let mut answer = match finished.filter(|record| record.status != Status::Processing) {
        Some(record) => {
            find::audited(app, caller, context, &record, "run.read").await?;
            whole(RunView::new(record, reader(caller)), seconds)
        }
        None => Accepted { run_id, status: Status::Processing, created_at }.answer(),
    };
    key_headers(&mut answer, expires_at, true);
    Ok(answer)
}

fn whole(run: RunView, seconds: Option<u64>) -> Response {
    let mut answer = (StatusCode::OK, axum::Json(run)).into_response();
    let applied = format!("wait={}", seconds.unwrap_or_default());
    let applied = HeaderValue::from_str(&applied).expect("letters and digits");
    answer.headers_mut().insert("preference-applied", applied);
    answer
}

fn key_headers(answer: &mut Response, expires_at: DateTime<Utc>, replayed: bool) {
    // A date in a header is written as RFC 9110, 5.6.7, has it.
    let expires_at = expires_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let expires_at = HeaderValue::from_str(&expires_at).expect("letters, digits and spaces");
    answer.headers_mut().insert(HeaderName::from_static("idempotency-expires"), expires_at);
    if replayed {
        answer.headers_mut().insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    }
}

/// A place for a run that can be given an id.
async fn place(app: &App, caller: &Caller) -> Result<Place, Problem> {
    not_paused(app).await?;
    within_budget(app, caller).await?;
    sound_clock(app).await?;
    app.backlog.place(&app.pool).await
}

/// A client whose budget for the model is spent may have chosen that submissions are refused then. Only of clients with
/// a budget is that asked.
async fn within_budget(app: &App, caller: &Caller) -> Result<(), Problem> {
    if !caller.has_budget {
        return Ok(());
    }
    if app.budgets.spent(&app.pool, caller.client_id, app.rules.time_zone).await? != Some(OverBudget::Refuse) {
        return Ok(());
    }
    let detail = "This month's budget for the model is spent; submissions are taken in again next month, or with a larger budget.";
    Err(Problem::new(Code::BudgetSpent, detail))
}

/// Operators may pause the intake. `BACKLOG_FULL` is the code that tells a caller the truth it can act on: nothing
/// is broken, nothing more is taken in for now, come back later.
async fn not_paused(app: &App) -> Result<(), Problem> {
    let paused = match app.paused.is_paused(Switch::Intake) {
        Some(paused) => paused,
        None => app.paused.read(&app.pool, &app.metrics).await?.contains(&Switch::Intake),
    };
    if !paused {
        return Ok(());
    }
    let detail = "Submissions are paused by the operators; the same request may be sent again later.";
    Err(Problem::new(Code::BacklogFull, detail).retry_after(PAUSED))
}

/// Ids are made by the database's clock only.
async fn sound_clock(app: &App) -> Result<(), Problem> {
    if app.clock.offset().is_none() {
        app.clock.measure(&app.pool).await?;
    }
    if app.clock.is_sound() {
        return Ok(());
    }
    tracing::error!("this machine's clock is too far from the database's");
    Err(Problem::new(Code::DatabaseUnavailable, "The clocks of the api and its database do not agree."))
}
