//! OCR over HTTP as the contract's section 4 has it: takes a PDF, answers pages of text.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};

use super::Running;

/// What goes wrong with one request, whichever comes next.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with `Retry-After` where it says so.
    Status(u16, Option<&'static str>),
    /// The reading ends as `failed`.
    Failed,
    /// No answer.
    Hang,
    /// An answer that is not JSON.
    Broken,
    /// An answer of so many bytes.
    Huge(usize),
}

/// How it behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// From upload to `completed`; none: the upload's answer says `completed` already.
    pub delay: Duration,
    /// `result.result.data.pages`, as older versions have it.
    pub nested: bool,
    /// What `pages` holds.
    pub pages: Value,
    /// One for each request until they are used up.
    pub faults: Vec<Fault>,
    /// Whether uploads are kept for [`Ocr::uploads`].
    pub keep_uploads: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { delay: Duration::ZERO, nested: false, pages: json!([]), faults: Vec::new(), keep_uploads: false }
    }
}

impl Behaviour {
    /// Reads these texts, one a page.
    pub fn reading(texts: &[&str]) -> Self {
        let pages = texts.iter().enumerate().map(|(at, text)| json!({"page_number": at + 1, "text": text})).collect();
        Self { pages, ..Self::default() }
    }
}

/// One upload as it came.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Of the part `file`.
    pub filename: Option<String>,
    /// Of the part `file`.
    pub content_type: Option<String>,
    /// The PDF.
    pub bytes: Bytes,
}

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    faults: Mutex<VecDeque<Fault>>,
    next_id: AtomicU64,
    polls: AtomicUsize,
    requests: AtomicUsize,
    /// What goes wrong with every request, until somebody mends it.
    outage: Mutex<Option<Fault>>,
    held: AtomicBool,
    /// When each reading is done, and whether it fails.
    readings: Mutex<HashMap<u64, (Instant, bool)>>,
    uploads: Mutex<Vec<Upload>>,
}

/// The service.
#[derive(Debug)]
pub struct Ocr {
    running: Running,
    shared: Arc<Shared>,
}

impl Ocr {
    /// Starts one.
    pub async fn start(behaviour: Behaviour) -> Self {
        let shared = Arc::new(Shared {
            faults: Mutex::new(behaviour.faults.iter().cloned().collect()),
            behaviour,
            next_id: AtomicU64::new(1),
            polls: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            outage: Mutex::default(),
            held: AtomicBool::new(false),
            readings: Mutex::default(),
            uploads: Mutex::default(),
        });
        let routes = Router::new()
            .route("/pdf", post(upload))
            .route("/result/{id}", get(result))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        Self { running: Running::start(routes).await, shared }
    }

    /// `OCR_BASE_URL`.
    pub fn base_url(&self) -> String {
        self.running.url()
    }

    /// What was uploaded, if it is kept.
    pub fn uploads(&self) -> Vec<Upload> {
        self.shared.uploads.lock().expect("no panic").clone()
    }

    /// From now on this goes wrong with every request; none: nothing more.
    pub fn outage(&self, fault: Option<Fault>) {
        *self.shared.outage.lock().expect("no panic") = fault;
    }

    /// How many requests came, of either kind.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// From now on no reading is done before [`Ocr::release`].
    pub fn hold(&self) {
        self.shared.held.store(true, Ordering::SeqCst);
    }

    /// Readings are done again, also those that were held.
    pub fn release(&self) {
        self.shared.held.store(false, Ordering::SeqCst);
    }

    /// How often a result was asked for.
    pub fn polls(&self) -> usize {
        self.shared.polls.load(Ordering::Relaxed)
    }
}

async fn upload(State(shared): State<Arc<Shared>>, mut form: Multipart) -> Response {
    let Ok(Some(mut file)) = form.next_field().await else { return StatusCode::BAD_REQUEST.into_response() };
    if file.name() != Some("file") {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let (filename, content_type) = (file.file_name().map(str::to_owned), file.content_type().map(str::to_owned));
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = file.chunk().await {
        if shared.behaviour.keep_uploads {
            bytes.extend_from_slice(&chunk);
        }
    }
    if shared.behaviour.keep_uploads {
        let upload = Upload { filename, content_type, bytes: bytes.into() };
        shared.uploads.lock().expect("no panic").push(upload);
    }
    let fault = next_fault(&shared);
    let fails = matches!(fault, Some(Fault::Failed));
    if let (Some(fault), false) = (fault, fails) {
        return faulty(fault).await;
    }
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    let delay = shared.behaviour.delay;
    shared.readings.lock().expect("no panic").insert(id, (Instant::now() + delay, fails));
    let held = shared.held.load(Ordering::SeqCst);
    let status = if delay.is_zero() && !fails && !held { "completed" } else { "uploaded" };
    axum::Json(json!({"id": id.to_string(), "status": status})).into_response()
}

async fn result(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    shared.polls.fetch_add(1, Ordering::Relaxed);
    let fault = next_fault(&shared);
    if let Some(fault) = fault {
        return faulty(fault).await;
    }
    let reading = shared.readings.lock().expect("no panic").get(&id).copied();
    let (status, result) = match reading {
        None => return StatusCode::NOT_FOUND.into_response(),
        Some((_, true)) => ("failed", Value::Null),
        Some((done, false)) if Instant::now() < done || shared.held.load(Ordering::SeqCst) => {
            ("processing", Value::Null)
        }
        Some(_) => {
            shared.readings.lock().expect("no panic").remove(&id);
            let data = json!({"data": {"pages": shared.behaviour.pages}});
            ("completed", if shared.behaviour.nested { json!({ "result": data }) } else { data })
        }
    };
    axum::Json(json!({"id": id.to_string(), "status": status, "result": result})).into_response()
}

fn next_fault(shared: &Shared) -> Option<Fault> {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let outage = shared.outage.lock().expect("no panic").clone();
    outage.or_else(|| shared.faults.lock().expect("no panic").pop_front())
}

async fn faulty(fault: Fault) -> Response {
    match fault {
        Fault::Status(code, retry_after) => {
            let status = StatusCode::from_u16(code).expect("a status");
            match retry_after {
                Some(after) => (status, [("retry-after", after)]).into_response(),
                None => status.into_response(),
            }
        }
        Fault::Failed => axum::Json(json!({"id": "0", "status": "failed"})).into_response(),
        Fault::Hang => super::hang().await,
        Fault::Broken => "<html>".into_response(),
        Fault::Huge(bytes) => vec![b' '; bytes].into_response(),
    }
}
