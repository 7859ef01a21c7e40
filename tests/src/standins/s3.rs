//! A document store of S3's kind, in memory: one bucket, objects, uploads in parts, listings by pages. It is as
//! strict as the real one where that matters: an upload is no object before it is completed, and a part that is
//! not the last has 5 MiB at least.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};

use super::Running;

/// The bucket that there is.
pub const BUCKET: &str = "documents";

/// Bytes of a part that is not the last, at least.
const LEAST_PART: usize = 5 * 1024 * 1024;

/// Objects of one page of a listing: few, so that small tests turn pages too.
const PAGE: usize = 2;

/// Bytes of a body, at most.
const MOST_BODY: usize = 64 * 1024 * 1024;

#[derive(Debug)]
struct Object {
    bytes: Bytes,
    modified_at: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    uploads: HashMap<String, BTreeMap<usize, Bytes>>,
    made: usize,
    away: bool,
}

type Shared = Arc<Mutex<Bucket>>;

/// The store.
#[derive(Debug)]
pub struct S3 {
    running: Running,
    bucket: Shared,
}

impl S3 {
    /// Starts an empty one.
    pub async fn start() -> Self {
        let bucket = Shared::default();
        let routes = Router::new()
            .route("/{bucket}", any(of_bucket))
            .route("/{bucket}/{*key}", any(of_object))
            .layer(axum::extract::DefaultBodyLimit::max(MOST_BODY))
            .with_state(Arc::clone(&bucket));
        Self { running: Running::start(routes).await, bucket }
    }

    /// The `AWS_…` variables that lead to it.
    pub fn variables(&self) -> Vec<(String, String)> {
        let url = self.running.url();
        let variables = [
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The keys of all objects, in order.
    pub fn keys(&self) -> Vec<String> {
        look(&self.bucket).objects.keys().cloned().collect()
    }

    /// Uploads that are neither completed nor given up.
    pub fn open_uploads(&self) -> usize {
        look(&self.bucket).uploads.len()
    }

    /// Refuses everything from now on, as a store that is not allowed to answer does.
    pub fn forbid(&self) {
        look(&self.bucket).away = true;
    }
}

fn look(bucket: &Shared) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

type Words = Query<HashMap<String, String>>;

async fn of_bucket(
    State(bucket): State<Shared>,
    method: Method,
    Path(name): Path<String>,
    query: Words,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = refused(&bucket, &name, &headers) {
        return refused;
    }
    // Not every store of S3's kind deletes in bulk.
    if method != Method::GET {
        return error(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
    }
    let word = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (prefix, after) = (word("prefix"), word("continuation-token"));
    let bucket = look(&bucket);
    let mut found = bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let contents: String = page
        .iter()
        .map(|(key, object)| {
            format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><Size>{}</Size><ETag>&quot;x&quot;</ETag></Contents>",
                escaped(key),
                object.modified_at.to_rfc3339(),
                object.bytes.len()
            )
        })
        .collect();
    let next = page.last().filter(|_| found.next().is_some());
    let next = next.map(|(key, _)| format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(key)));
    xml(&format!("<ListBucketResult>{contents}{}</ListBucketResult>", next.unwrap_or_default()))
}

async fn of_object(
    State(bucket): State<Shared>,
    method: Method,
    Path((name, key)): Path<(String, String)>,
    query: Words,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = refused(&bucket, &name, &headers) {
        return refused;
    }
    let (upload, part) = (query.get("uploadId"), query.get("partNumber").and_then(|number| number.parse().ok()));
    let mut bucket = look(&bucket);
    match (method.as_str(), upload, part) {
        ("PUT", None, _) => {
            bucket.objects.insert(key, Object { bytes: body, modified_at: Utc::now() });
            ([("etag", "\"x\"")], ()).into_response()
        }
        ("PUT", Some(upload), Some(part)) => match bucket.uploads.get_mut(upload) {
            Some(parts) => {
                parts.insert(part, body);
                ([("etag", format!("\"{part}\""))], ()).into_response()
            }
            None => error(StatusCode::NOT_FOUND, "NoSuchUpload"),
        },
        ("POST", None, _) if query.contains_key("uploads") => {
            bucket.made += 1;
            let upload = bucket.made.to_string();
            bucket.uploads.insert(upload.clone(), BTreeMap::new());
            xml(&format!(
                "<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        ("POST", Some(upload), _) => complete(&mut bucket, key, upload),
        ("DELETE", Some(upload), _) => match bucket.uploads.remove(upload) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => error(StatusCode::NOT_FOUND, "NoSuchUpload"),
        },
        // What is not there is deleted already.
        ("DELETE", None, _) => {
            bucket.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        ("GET", None, _) => match bucket.objects.get(&key) {
            Some(object) => {
                let modified_at = object.modified_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                let headers = [("etag", "\"x\"".to_owned()), ("last-modified", modified_at)];
                (headers, Body::from(object.bytes.clone())).into_response()
            }
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        _ => error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
    }
}

fn complete(bucket: &mut Bucket, key: String, upload: &str) -> Response {
    let Some(parts) = bucket.uploads.remove(upload) else { return error(StatusCode::NOT_FOUND, "NoSuchUpload") };
    if parts.values().rev().skip(1).any(|part| part.len() < LEAST_PART) {
        return error(StatusCode::BAD_REQUEST, "EntityTooSmall");
    }
    let whole = parts.into_values().fold(BytesMut::new(), |mut whole, part| {
        whole.extend_from_slice(&part);
        whole
    });
    bucket.objects.insert(key, Object { bytes: whole.freeze(), modified_at: Utc::now() });
    xml("<CompleteMultipartUploadResult><ETag>&quot;x&quot;</ETag></CompleteMultipartUploadResult>")
}

/// Nobody is let in without a signature, and there is one bucket.
fn refused(bucket: &Shared, name: &str, headers: &HeaderMap) -> Option<Response> {
    let signed = headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    if !signed || look(bucket).away {
        return Some(error(StatusCode::FORBIDDEN, "AccessDenied"));
    }
    (name != BUCKET).then(|| error(StatusCode::NOT_FOUND, "NoSuchBucket"))
}

fn xml(inside: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{inside}");
    ([("content-type", "application/xml")], text).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, xml(&format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"))).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
