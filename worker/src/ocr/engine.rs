//! What every engine promises.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::domain::{ErrorCode, Page};

use crate::document::DocumentFile;
use crate::outside::Service;

/// A way to read a document.
#[async_trait]
pub trait OcrEngine: Send + Sync {
    /// Its name in the record (`ocr_engine`).
    fn name(&self) -> &'static str;

    /// The service outside that it calls, if it calls one.
    fn service(&self) -> Option<&Arc<Service>> {
        None
    }

    /// Reads every page. Files are made in `scratch` only, which belongs to the run and is removed
    /// with it; dropping the future ends every program that it started.
    ///
    /// Pages without a word are part of the result: whether that is too little is for
    /// `shared::domain::text_quality` to say.
    ///
    /// # Errors
    ///
    /// [`OcrError`] says whether another try can help.
    async fn read(&self, document: &DocumentFile, scratch: &Path) -> Result<Reading, OcrError>;

    /// Reads the pictures of these pages, quickly, whatever text they carry: for holding a text layer against what
    /// people see. Only an engine whose pages come from text layers is asked.
    ///
    /// # Errors
    ///
    /// [`OcrError`], also where the engine cannot do it.
    async fn look(&self, _document: &DocumentFile, _numbers: &[u32], _scratch: &Path) -> Result<Vec<Page>, OcrError> {
        Err(OcrError::Failed("this engine reads no text layers".to_owned()))
    }
}

/// A document as it was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Its pages, in order, every one.
    pub pages: Vec<PageReading>,
}

/// A page as it was read, and its picture.
#[derive(Clone, Debug)]
pub struct PageReading {
    /// Text, words, confidence.
    pub page: Page,
    /// The upright page as a JPEG of 1,600 pixels at most on its longer side, a file in the run's
    /// scratch folder; none where the engine makes no picture.
    pub picture: Option<PathBuf>,
    /// Whether the first attempt was too doubtful and a second one was made.
    pub second_attempt: bool,
}

/// Why a document was not read.
#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    /// The document itself cannot be read; another try gives the same. The text holds nothing of
    /// the document.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// A program or a service that reads failed; another try may help. The text holds nothing of
    /// the document.
    #[error("reading failed: {0}")]
    Failed(String),
    /// The service that reads asked for a pause; another try after it may help.
    #[error("reading failed: {reason}")]
    Throttled {
        /// Nothing of the document.
        reason: String,
        /// What the service asked for.
        retry_after: Duration,
    },
    /// The service that reads is away, whatever the document; it is not called for so long.
    #[error("the service that reads is away")]
    Away(Duration),
    /// The run's scratch folder could not be written or read; another try may help.
    #[error("a file of the run could not be written or read: {0}")]
    File(#[from] std::io::Error),
}

impl OcrError {
    /// The code that a run gets from it; the code says whether trying again can help.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable(_) => ErrorCode::DocumentUnreadable,
            Self::Failed(_) | Self::Throttled { .. } | Self::Away(_) => ErrorCode::OcrFailed,
            Self::File(_) => ErrorCode::FileSaveFailed,
        }
    }

    /// Whether another try may help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        self.code().retryable()
    }
}
