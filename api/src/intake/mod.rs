//! A submission: the body is read as it arrives, the file goes to the document store while it is hashed and
//! counted, the fields are judged together, and one statement begins the run. Whatever is refused leaves
//! nothing behind.

mod commit;
mod content_hash;
mod document;
mod fields;
mod filename;
mod idempotency;
mod incoming;
mod json;
mod multipart;

pub use commit::{Beginning, begin};
pub use document::{Document, Sink};
pub use fields::Fields;
pub use idempotency::{Guard, Reserved, header, reserve};
pub use incoming::Incoming;

use axum::http::request::Parts;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use shared::store::api_keys::Caller;

use crate::problem::{Code, Problem};
use crate::state::App;

/// What was submitted, judged and hashed, not yet begun.
#[derive(Debug)]
pub struct Submission {
    /// Its fields.
    pub fields: Fields,
    /// Its file; none for a repeat whose object has been taken by the first.
    pub document: Option<Document>,
    /// The object that was named in place of an upload, where it is to be deleted afterwards.
    pub taken_object: Option<String>,
    /// Hash of fields and file: the same for the same submission.
    pub content_hash: Vec<u8>,
}

/// Reads a submission in either form. On a problem nothing is left in the document store.
///
/// # Errors
/// Whatever is wrong with it.
pub async fn read(
    app: &App,
    caller: &Caller,
    parts: &Parts,
    incoming: &Incoming,
    sink: &mut Sink,
) -> Result<Submission, Problem> {
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let coded =
        parts.headers.get(CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let read = match essence.as_str() {
        _ if coded => Err(Problem::new(Code::UnsupportedMediaType, "A submission is sent without a content coding.")),
        "multipart/form-data" => multipart::read(app, caller, parts, incoming, sink).await,
        "application/json" => json::read(app, caller, incoming, sink).await,
        _ => Err(Problem::new(
            Code::UnsupportedMediaType,
            "A submission is multipart/form-data, or application/json with `object_key`.",
        )),
    };
    if read.is_err() {
        sink.abandon().await;
    }
    read
}
