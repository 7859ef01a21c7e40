//! read: the text of every page. Too doubtful and empty are results of their own, told apart from an engine
//! that failed.

use std::path::{Path, PathBuf};

use shared::domain::text_quality::{TextQuality, assess};
use shared::domain::{ErrorCode, Page};

use super::Failure;
use crate::document::DocumentFile;
use crate::ocr::OcrEngine;

pub(super) async fn read(
    engine: &dyn OcrEngine,
    document: &DocumentFile,
    scratch: &Path,
) -> Result<(Vec<Page>, Vec<Option<PathBuf>>), Failure> {
    let reading = engine.read(document, scratch).await?;
    let (pages, pictures): (Vec<_>, Vec<_>) =
        reading.pages.into_iter().map(|reading| (reading.page, reading.picture)).unzip();
    match assess(&pages) {
        TextQuality::Readable => Ok((pages, pictures)),
        TextQuality::Doubtful => Err(Failure::new(ErrorCode::DocumentUnreadable, "its words are too doubtful to use")),
        TextQuality::Empty => Err(Failure::new(ErrorCode::OcrEmptyPages, "not one word was found on any page")),
    }
}
