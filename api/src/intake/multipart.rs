//! The form of a submission: parts in any order, each at most once.

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::request::Parts;
use http::header::CONTENT_TYPE;
use shared::domain::file_name::cleaned;
use shared::store::api_keys::Caller;

use super::content_hash::content_hash;
use super::document::{Document, Received, Sink, receive};
use super::fields::{METADATA_BYTES, RawFields, RawMetadata};
use super::filename::extended;
use super::{Incoming, Submission};
use crate::problem::{FieldError, Problem};
use crate::state::App;

/// Bytes of a part that is a short text, at most.
const TEXT_BYTES: usize = 16 * 1024;

/// Parts of a form, at most: there are seven names.
const MOST_PARTS: usize = 32;

const MALFORMED: &str = "The body is no well-formed multipart/form-data.";

pub(super) async fn read(
    app: &App,
    caller: &Caller,
    parts: &Parts,
    incoming: &Incoming,
    sink: &mut Sink,
) -> Result<Submission, Problem> {
    let mut request = Request::new(Body::from_stream(incoming.bytes()));
    if let Some(content_type) = parts.headers.get(CONTENT_TYPE) {
        request.headers_mut().insert(CONTENT_TYPE, content_type.clone());
    }
    // The bound is `incoming`'s.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut multipart =
        Multipart::from_request(request, &()).await.map_err(|_| Problem::malformed("The form has no boundary."))?;

    let mut form = Form::default();
    for number in 0.. {
        incoming.looking_for_header(true);
        let part = multipart.next_field().await.map_err(|_| incoming.problem(MALFORMED))?;
        incoming.looking_for_header(false);
        let Some(part) = part else { break };
        if number >= MOST_PARTS {
            return Err(Problem::malformed("The form has too many parts."));
        }
        form.take(part, incoming, sink).await?;
    }
    form.judge(app, caller)
}

/// What has been read of a form.
#[derive(Default)]
struct Form {
    fields: RawFields,
    metadata: Option<String>,
    document: Option<Document>,
    seen: Vec<String>,
    faults: Vec<FieldError>,
}

impl Form {
    async fn take(&mut self, part: Field<'_>, incoming: &Incoming, sink: &mut Sink) -> Result<(), Problem> {
        let Some(name) = part.name().map(ToOwned::to_owned) else {
            return Err(Problem::malformed("A part of the form has no name."));
        };
        if self.seen.contains(&name) {
            self.faults.push(FieldError::new(short(&name), "stands more than once"));
            return skip(part, incoming).await;
        }
        self.seen.push(name.clone());
        if name == "file" {
            return self.take_file(part, incoming, sink).await;
        }
        let most = if name == "metadata" { METADATA_BYTES } else { TEXT_BYTES };
        let place = match name.as_str() {
            "fio" => &mut self.fields.fio,
            "callback_url" => &mut self.fields.callback_url,
            "external_request_id" => &mut self.fields.external_request_id,
            "iin" => &mut self.fields.iin,
            "priority" => &mut self.fields.priority,
            "metadata" => &mut self.metadata,
            _ => {
                self.faults.push(FieldError::new(short(&name), "is no field of a submission"));
                return skip(part, incoming).await;
            }
        };
        match text(part, most, incoming).await? {
            Ok(value) => *place = Some(value),
            // Judged already: that it is absent then would be a second fault of the same field.
            Err(message) => self.faults.push(FieldError::new(name, message)),
        }
        Ok(())
    }

    async fn take_file(&mut self, part: Field<'_>, incoming: &Incoming, sink: &mut Sink) -> Result<(), Problem> {
        // A quotation mark inside a name is written as %22 by browsers (WHATWG, multipart/form-data encoding).
        let plain = part.file_name().map(|name| name.replace("%22", "\""));
        let filename = extended(part.headers()).or(plain);
        match receive(part, sink, |_| incoming.problem(MALFORMED)).await? {
            Received::Empty => self.faults.push(FieldError::new("file", "is empty")),
            Received::File { content_type, size, sha256 } => {
                let filename = cleaned(filename.as_deref(), content_type.extension());
                self.document = Some(Document { content_type, size, sha256, filename });
            }
        }
        Ok(())
    }

    fn judge(mut self, app: &App, caller: &Caller) -> Result<Submission, Problem> {
        if !self.seen.iter().any(|name| name == "file") {
            self.faults.push(FieldError::new("file", "is required"));
        }
        let known: Vec<String> = self.faults.iter().map(|fault| fault.field.clone()).collect();
        let mut fields = self.fields;
        fields.metadata = self.metadata.map(RawMetadata::Text);
        let judged = fields.judge(caller.allow_high, &app.rules.allow_hosts, self.faults);
        let fields = judged.map_err(|mut problem| {
            // One fault a field: the first says why.
            let mut seen = Vec::new();
            problem.errors.retain(|fault| {
                let repeated = known.contains(&fault.field) && seen.contains(&fault.field);
                seen.push(fault.field.clone());
                !repeated
            });
            problem
        })?;
        let document = self.document.ok_or_else(|| Problem::invalid(vec![FieldError::new("file", "is required")]))?;
        let content_hash = content_hash(&fields, None, &document.sha256);
        Ok(Submission { fields, document: Some(document), taken_object: None, content_hash })
    }
}

/// A part's text, or why it is none.
async fn text(mut part: Field<'_>, most: usize, incoming: &Incoming) -> Result<Result<String, String>, Problem> {
    let mut bytes = Vec::new();
    let mut too_long = false;
    while let Some(chunk) = part.chunk().await.map_err(|_| incoming.problem(MALFORMED))? {
        too_long = too_long || bytes.len() + chunk.len() > most;
        if !too_long {
            bytes.extend_from_slice(&chunk);
        }
    }
    if too_long {
        return Ok(Err(format!("must have {most} bytes at most")));
    }
    Ok(String::from_utf8(bytes).map_err(|_| "must be UTF-8".to_owned()))
}

async fn skip(mut part: Field<'_>, incoming: &Incoming) -> Result<(), Problem> {
    while part.chunk().await.map_err(|_| incoming.problem(MALFORMED))?.is_some() {}
    Ok(())
}

/// A stranger's name as far as it is worth repeating.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}
