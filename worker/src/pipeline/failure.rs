//! Why a stage gave no result.

use std::time::Duration;

use shared::domain::ErrorCode;

use crate::analysis::{AnalysisError, LlmCall};
use crate::document::DocumentError;
use crate::ocr::OcrError;

/// A stage failed; the code says whether trying again can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.as_str())]
pub struct Failure {
    /// What the run ends with, when it ends with this.
    pub code: ErrorCode,
    /// For developers; nothing of the document.
    pub reason: String,
    /// What the service asked for, where it did.
    pub retry_after: Option<Duration>,
    /// A service is away, whatever the document: the run is given back for so long, with its attempt.
    pub away: Option<Duration>,
}

impl Failure {
    /// A failure with a reason.
    pub fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), retry_after: None, away: None }
    }

    /// A failed analysis; the calls that were made in vain are kept too.
    pub(super) fn of_analysis(error: AnalysisError, calls: &mut Vec<LlmCall>) -> Self {
        let AnalysisError { code, detail, calls: made, retry_after, away } = error;
        calls.extend(made);
        Self { retry_after, away, ..Self::new(code, detail) }
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<OcrError> for Failure {
    fn from(error: OcrError) -> Self {
        let (retry_after, away) = match error {
            OcrError::Throttled { retry_after, .. } => (Some(retry_after), None),
            OcrError::Away(wait) => (None, Some(wait)),
            _ => (None, None),
        };
        Self { retry_after, away, ..Self::new(error.code(), error.to_string()) }
    }
}
