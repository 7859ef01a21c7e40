//! A document as the worker has it: a file of a known kind whose headers have been read and found
//! to be within the limits, before anything of it was decoded.

mod headers;
mod inspect;
pub mod jpeg;
pub mod pdf;
pub mod png;
pub mod tiff;

use std::path::PathBuf;

use shared::domain::{ContentType, ErrorCode};

pub use inspect::inspect;

/// A page image may have this many pixels; the cameras of telephones make 50 million.
pub const MAX_PIXELS: u64 = 52_000_000;

/// A side of a page image may have this many pixels.
pub const MAX_SIDE: u32 = 20_000;

/// A document may have this many pages (contract, section 1).
pub const MAX_PAGES: u32 = 20;

/// A document on this machine's disk, its headers already inspected.
#[derive(Clone, Debug)]
pub struct DocumentFile {
    /// Where it lies; a name of ours, never the uploader's.
    pub path: PathBuf,
    /// What its headers say.
    pub info: DocumentInfo,
}

/// What the headers of a document say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentInfo {
    /// Its kind, by its first bytes.
    pub content_type: ContentType,
    /// Number of pages, 1 to [`MAX_PAGES`].
    pub pages: u32,
    /// Width and height of each page in pixels as stored, before any turn; empty for a PDF, whose
    /// pages have no pixels yet.
    pub pixels: Vec<(u32, u32)>,
}

/// Why a document cannot be taken on.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// More than [`MAX_PAGES`].
    #[error("the document has {0} pages, more than {MAX_PAGES}")]
    TooManyPages(u64),
    /// It cannot be opened: truncated, encrypted, of no known kind, beyond the pixel limit. The text
    /// says which and holds nothing of the document.
    #[error("the document cannot be opened: {0}")]
    Unreadable(&'static str),
    /// The file could not be read from this machine's disk, or a program of ours could not be started: not the
    /// document's fault, another try may help.
    #[error("the document's file could not be read here: {0}")]
    Service(String),
}

impl From<std::io::Error> for DocumentError {
    /// A file that ends too early is truncated; anything else is the disk's doing.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Unreadable("it is truncated"),
            kind => Self::Service(kind.to_string()),
        }
    }
}

/// Refuses a page image beyond the limits, and one without pixels.
///
/// # Errors
///
/// [`DocumentError::Unreadable`].
pub fn check_pixels(width: u32, height: u32) -> Result<(), DocumentError> {
    if width == 0 || height == 0 {
        Err(DocumentError::Unreadable("an image of it has no pixels"))
    } else if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        Err(DocumentError::Unreadable("an image of it is beyond the pixel limit"))
    } else {
        Ok(())
    }
}

impl DocumentError {
    /// The code that a run gets from it.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TooManyPages(_) => ErrorCode::PdfTooManyPages,
            Self::Unreadable(_) => ErrorCode::DocumentUnreadable,
            Self::Service(_) => ErrorCode::FileSaveFailed,
        }
    }
}
