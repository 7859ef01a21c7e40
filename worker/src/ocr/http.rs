//! OCR over HTTP (contract, section 4): every document goes there, PDFs as uploaded, images wrapped
//! page by page in one PDF. It gives text and neither places nor confidences.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Body, Client, multipart};
use shared::domain::ContentType;
use shared::retry::{Again, Policy, Retryable, retry};
use shared::telemetry::{Metrics, Outcome, OutsideCall};
use tokio::sync::Semaphore;
use tokio::time::Instant as TokioInstant;
use tokio_util::io::ReaderStream;
use url::Url;

use super::http_answer::{self, State};
use super::{OcrEngine, OcrError, PageReading, Reading, image_pdf};
use crate::document::DocumentFile;
use crate::imaging::ImagingError;
use crate::outside::{self, Bounds, CallError, Service};

/// What the contract's section 4 says about waiting.
const FIRST_POLL: Duration = Duration::from_millis(200);
const LONGEST_POLL: Duration = Duration::from_secs(2);
const WHOLE: Duration = Duration::from_secs(300);
const POLL_GROWTH: f64 = 1.5;

const UPLOAD_WITHIN: Duration = Duration::from_secs(60);
const POLL_WITHIN: Duration = Duration::from_secs(15);
/// Twenty pages of dense text, escaped, are well under 1 MiB.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A file up to this is read at once; a longer one goes out piece by piece.
const WHOLE_FILE: u64 = 256 * 1024;

/// How a single request is tried again. The run's own attempts come on top.
const RETRIES: Policy = Policy {
    first_pause: Duration::from_millis(500),
    longest_pause: Duration::from_secs(8),
    longest_retry_after: Duration::from_secs(30),
    budget: Duration::from_secs(90),
};

/// The engine.
#[derive(Debug)]
pub struct HttpEngine {
    client: Client,
    service: Arc<Service>,
    base: Url,
    /// Images being wrapped at once: each may hold a decoded page.
    wrapping: Semaphore,
    metrics: Metrics,
}

impl HttpEngine {
    /// For the service at `base`; wraps so many images at once. Calls in flight are not bounded.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(base: &Url, wrap_at_once: usize, metrics: Metrics) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: outside::client()?,
            service: Arc::new(Service::new("ocr", Semaphore::MAX_PERMITS, metrics.clone())),
            base: base.clone(),
            wrapping: Semaphore::new(wrap_at_once),
            metrics,
        })
    }

    /// With so many calls in flight at most.
    #[must_use]
    pub fn calls_at_once(self, calls: usize) -> Self {
        Self { service: Arc::new(Service::new("ocr", calls, self.metrics.clone())), ..self }
    }

    async fn read_there(&self, document: &DocumentFile, scratch: &Path) -> Result<Reading, Failure> {
        let deadline = TokioInstant::now() + WHOLE;
        let pdf = self.pdf(document, scratch).await?;
        let work = async {
            let (id, mut state) = self.upload(&pdf).await?;
            let mut pause = FIRST_POLL;
            loop {
                match state {
                    State::Failed => return Err(Failure::Reported),
                    // what has been read is fetched at once
                    State::Completed => {}
                    State::Pending => {
                        tokio::time::sleep(pause).await;
                        pause = pause.mul_f64(POLL_GROWTH).min(LONGEST_POLL);
                    }
                }
                let answer = self.result(&id).await?;
                state = http_answer::head(&answer).ok_or(Failure::Invalid)?.1;
                if state == State::Completed {
                    let pages = http_answer::pages(&answer, document.info.pages).ok_or(Failure::Invalid)?;
                    let reading = |page| PageReading { page, picture: None, second_attempt: false };
                    return Ok(Reading { pages: pages.into_iter().map(reading).collect() });
                }
            }
        };
        tokio::time::timeout_at(deadline, work).await.map_err(|_| Failure::Call(CallError::TimedOut))?
    }

    /// The file that is uploaded.
    async fn pdf(&self, document: &DocumentFile, scratch: &Path) -> Result<PathBuf, Failure> {
        if document.info.content_type == ContentType::Pdf {
            return Ok(document.path.clone());
        }
        let _slot = self.wrapping.acquire().await.map_err(|_| Failure::Invalid)?;
        let (document, target) = (document.clone(), scratch.join("wrapped.pdf"));
        let wrapped = tokio::task::spawn_blocking(move || image_pdf::wrap(&document, &target).map(|()| target));
        // A decoder that panics has met a damaged file.
        Ok(wrapped.await.unwrap_or(Err(ImagingError::Undecodable))?)
    }

    async fn upload(&self, pdf: &Path) -> Result<(String, State), Failure> {
        let url = self.url(&["pdf"]);
        let answer = retry(RETRIES, |this| {
            let url = url.clone();
            async move {
                // The uploader's name of the file is no business of the service.
                let part = body(pdf).await?.file_name("document.pdf").mime_str("application/pdf");
                let part = part.map_err(CallError::from)?;
                let request = self.client.post(url).multipart(multipart::Form::new().part("file", part));
                let bounds = Bounds { left: this.left, answer: UPLOAD_WITHIN, bytes: ANSWER_BYTES };
                Ok::<_, Failure>(self.service.call(request, bounds).await?)
            }
        })
        .await?;
        match http_answer::head(&answer).ok_or(Failure::Invalid)? {
            (_, State::Failed) => Err(Failure::Reported),
            (Some(id), state) => Ok((id, state)),
            (None, _) => Err(Failure::Invalid),
        }
    }

    async fn result(&self, id: &str) -> Result<Vec<u8>, Failure> {
        let url = self.url(&["result", id]);
        retry(RETRIES, |this| {
            let request = self.client.get(url.clone());
            let bounds = Bounds { left: this.left, answer: POLL_WITHIN, bytes: ANSWER_BYTES };
            async move { Ok(self.service.call(request, bounds).await?) }
        })
        .await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        // An http address always has a path; a part is escaped, so that an id cannot leave its place.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

#[async_trait]
impl OcrEngine for HttpEngine {
    fn name(&self) -> &'static str {
        "http"
    }

    fn service(&self) -> Option<&Arc<Service>> {
        Some(&self.service)
    }

    async fn read(&self, document: &DocumentFile, scratch: &Path) -> Result<Reading, OcrError> {
        let start = Instant::now();
        let reading = self.read_there(document, scratch).await;
        let outcome = match &reading {
            Ok(_) => Some(Outcome::Ok),
            Err(failure) => failure.outcome(),
        };
        if let Some(outcome) = outcome {
            self.metrics.outside_call(OutsideCall { service: "ocr", outcome, duration: start.elapsed() });
        }
        reading.map_err(|failure| match (&failure, self.service.away_for()) {
            // Whatever the document: others have fared as badly since.
            (Failure::Call(error), Some(wait)) if error.trouble().is_some() => OcrError::Away(wait),
            _ => failure.into(),
        })
    }
}

/// The document as the part of a form.
async fn body(pdf: &Path) -> Result<multipart::Part, std::io::Error> {
    let path = pdf.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut whole = Vec::new();
        if length <= WHOLE_FILE {
            whole.reserve_exact(usize::try_from(length).unwrap_or(0));
            std::io::Read::read_to_end(&mut file, &mut whole)?;
        }
        Ok::<_, std::io::Error>((file, length, whole))
    });
    let (file, length, whole) = opened.await.map_err(std::io::Error::other)??;
    if length <= WHOLE_FILE {
        return Ok(multipart::Part::stream(Bytes::from(whole)));
    }
    let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 128 * 1024);
    Ok(multipart::Part::stream_with_length(Body::wrap_stream(pieces), length))
}

/// Why the service did not read a document.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the OCR service {0}")]
    Call(#[from] CallError),
    #[error("the OCR service says that it failed")]
    Reported,
    #[error("the OCR service's answer cannot be read")]
    Invalid,
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Image(ImagingError),
}

impl Failure {
    /// As metrics count it; none where the service was not asked.
    fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Call(error) => error.outcome(),
            Self::Reported => Some(Outcome::Failed),
            Self::Invalid => Some(Outcome::Invalid),
            Self::File(_) | Self::Image(_) => None,
        }
    }
}

impl Retryable for Failure {
    fn again(&self) -> Again {
        match self {
            Self::Call(error) => error.again(),
            _ => Again::Never,
        }
    }
}

impl From<ImagingError> for Failure {
    fn from(error: ImagingError) -> Self {
        match error {
            ImagingError::File(error) => Self::File(error),
            error => Self::Image(error),
        }
    }
}

impl From<Failure> for OcrError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::File(error) => Self::File(error),
            Failure::Image(error) => Self::Unreadable(error.to_string()),
            Failure::Call(CallError::Away(wait)) => Self::Away(wait),
            Failure::Call(CallError::Status { retry_after: Some(retry_after), .. }) => {
                Self::Throttled { reason: failure.to_string(), retry_after }
            }
            failure => Self::Failed(failure.to_string()),
        }
    }
}
