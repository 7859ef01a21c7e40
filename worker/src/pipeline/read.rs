//! read: the text of every page. Too doubtful and empty are results of their own, told apart from an engine
//! that failed.

use std::path::Path;

use shared::domain::ErrorCode;
use shared::domain::text_quality::{TextQuality, assess};

use super::Failure;
use crate::document::DocumentFile;
use crate::ocr::{OcrEngine, PageReading};

pub(super) async fn read(
    engine: &dyn OcrEngine,
    document: &DocumentFile,
    scratch: &Path,
) -> Result<Vec<PageReading>, Failure> {
    let pages = engine.read(document, scratch).await?.pages;
    match assess(pages.iter().map(|reading| &reading.page)) {
        TextQuality::Readable => Ok(pages),
        TextQuality::Doubtful => Err(Failure::new(ErrorCode::DocumentUnreadable, "its words are too doubtful to use")),
        TextQuality::Empty => Err(Failure::new(ErrorCode::OcrEmptyPages, "not one word was found on any page")),
    }
}
