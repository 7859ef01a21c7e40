//! One run of Tesseract over one image.

use std::path::Path;

use shared::domain::Word;

use super::{OcrError, tsv};
use crate::imaging::Gray;
use crate::sandbox::{Limits, Sandbox, Task, arguments};

/// Order of the languages: the first leads. Measured: `rus+kaz` reads Russian best, `kaz+rus` keeps
/// all Kazakh letters, `rus` alone loses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Languages {
    /// Russian first.
    RussianFirst,
    /// Kazakh first.
    KazakhFirst,
    /// For digits.
    English,
}

/// How Tesseract cuts a page into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segmentation {
    /// It finds blocks and columns by itself.
    Automatic,
    /// One column of text of any size, as nearly every letter and certificate is.
    Column,
    /// One block of lines.
    Block,
}

/// Words read from an image, their places in thousandths of it.
///
/// # Errors
///
/// [`OcrError::Failed`] if Tesseract fails, [`OcrError::File`] if the image cannot be written.
pub async fn read(
    sandbox: &Sandbox,
    scratch: &Path,
    image: &Gray,
    languages: Languages,
    segmentation: Segmentation,
) -> Result<Vec<Word>, OcrError> {
    if image.width < 8 || image.height < 8 {
        return Ok(Vec::new());
    }
    let folder = tempfile::Builder::new().prefix("tesseract-").tempdir_in(scratch)?;
    let file = folder.path().join("page.pgm");
    tokio::fs::write(&file, image.to_pgm()).await?;
    let languages = match languages {
        Languages::RussianFirst => "rus+kaz",
        Languages::KazakhFirst => "kaz+rus",
        Languages::English => "eng",
    };
    let segmentation = match segmentation {
        Segmentation::Automatic => "3",
        Segmentation::Column => "4",
        Segmentation::Block => "6",
    };
    let arguments = arguments([
        &file as &dyn AsRef<std::ffi::OsStr>,
        &"stdout",
        &"-l",
        &languages,
        &"--psm",
        &segmentation,
        // Without it Tesseract measures and warns.
        &"--dpi",
        &"300",
        // Documents are dark on light; trying every doubtful line inverted as well costs time.
        &"-c",
        &"tessedit_do_invert=0",
        &"-c",
        &"tessedit_create_tsv=1",
    ]);
    let task = Task { program: "tesseract", arguments, folder: folder.path(), limits: Limits::READ };
    // The image is one of our own making, so that a failure is never the document's.
    let table = sandbox.run(task).await.map_err(|error| OcrError::Failed(format!("tesseract: {error}")))?;
    let table = String::from_utf8_lossy(&table);
    Ok(tsv::words(tsv::rows(&table), image.width as f32, image.height as f32))
}

/// Words of page `page` (from 0, previews counted) of a TIFF of a form that only Tesseract's own library
/// decodes (Group 3 fax, palettes, rare compressions), as it stands: neither turned nor
/// straightened. `pixels` are the page's width and height.
///
/// # Errors
///
/// [`OcrError::Unreadable`] if that library cannot read it either.
pub async fn read_unusual_tiff(
    sandbox: &Sandbox,
    scratch: &Path,
    file: &Path,
    page: usize,
    pixels: (u32, u32),
) -> Result<Vec<Word>, OcrError> {
    let page = format!("tessedit_page_number={page}");
    let arguments = arguments([
        &file as &dyn AsRef<std::ffi::OsStr>,
        &"stdout",
        &"-l",
        &"rus+kaz",
        &"--psm",
        &"4",
        &"-c",
        &page,
        &"-c",
        &"tessedit_create_tsv=1",
    ]);
    let task = Task { program: "tesseract", arguments, folder: scratch, limits: Limits::READ };
    let table = sandbox.run(task).await.map_err(|error| match error {
        error if error.is_the_files_fault() => OcrError::Unreadable(format!("tesseract: {error}")),
        error => OcrError::Failed(format!("tesseract: {error}")),
    })?;
    let table = String::from_utf8_lossy(&table);
    Ok(tsv::words(tsv::rows(&table), pixels.0 as f32, pixels.1 as f32))
}
