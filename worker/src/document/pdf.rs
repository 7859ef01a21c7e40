//! Headers of a PDF: how many pages it has, and whether anybody may open it.

use std::path::Path;

use super::DocumentError;
use crate::sandbox::{Limits, Sandbox, SandboxError, Task};

/// What the metadata of a PDF yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pages {
    /// So many.
    Counted(u32),
    /// The file is cut off.
    Truncated,
    /// lopdf cannot tell.
    Unknown,
}

/// Number of pages.
///
/// lopdf reads cross-references, trailer and page tree, nothing else. Where it cannot (a
/// rare cipher, damage that Poppler mends), `pdfinfo` is asked, in the sandbox.
///
/// # Errors
///
/// [`DocumentError::Unreadable`] if it is truncated or needs a password. One that only restricts
/// printing or copying opens in any reader and is read.
pub async fn page_count(path: &Path, sandbox: &Sandbox, scratch: &Path) -> Result<u32, DocumentError> {
    let file = path.to_owned();
    let counted = tokio::task::spawn_blocking(move || {
        let bytes = std::fs::read(file)?;
        Ok::<_, std::io::Error>(count(&bytes))
    })
    .await
    .map_err(|_| DocumentError::Service("the reader of headers was stopped".to_owned()))??;
    match counted {
        Pages::Counted(pages) => Ok(pages),
        Pages::Truncated => Err(DocumentError::Unreadable("it is truncated")),
        Pages::Unknown => ask_pdfinfo(path, sandbox, scratch).await,
    }
}

/// A parser that panics has met a damaged file; the file is Poppler's to judge then.
fn count(bytes: &[u8]) -> Pages {
    let read = std::panic::catch_unwind(|| lopdf::Document::load_metadata_mem(bytes));
    let ends = bytes[bytes.len().saturating_sub(END_WITHIN)..].windows(5).any(|window| window == b"%%EOF");
    match read {
        Ok(Ok(metadata)) if metadata.xref_recovery == Some(lopdf::xref::XrefRecovery::Reconstructed) && !ends => {
            Pages::Truncated
        }
        Ok(Ok(metadata)) if metadata.page_count > 0 => Pages::Counted(metadata.page_count),
        Ok(Err(_)) if !ends => Pages::Truncated,
        Ok(_) | Err(_) => Pages::Unknown,
    }
}

/// The end-of-file mark stands in this many last bytes (ISO 32000-1, annex H, note 18).
const END_WITHIN: usize = 1024;

async fn ask_pdfinfo(path: &Path, sandbox: &Sandbox, scratch: &Path) -> Result<u32, DocumentError> {
    let task = Task { program: "pdfinfo", arguments: vec![path.into()], folder: scratch, limits: Limits::LOOK };
    let output = sandbox.run(task).await.map_err(|error| match error {
        error if error.is_the_files_fault() => DocumentError::Unreadable("it is damaged or needs a password"),
        SandboxError::TimedOut => DocumentError::Unreadable("it takes too long to open"),
        error => DocumentError::Service(error.to_string()),
    })?;
    pages_of_pdfinfo(&output).ok_or(DocumentError::Unreadable("it has no pages"))
}

fn pages_of_pdfinfo(output: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(output);
    let pages = text.lines().find_map(|line| line.strip_prefix("Pages:"))?;
    pages.trim().parse().ok().filter(|pages| *pages > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_pdfinfo_is_understood() {
        assert_eq!(pages_of_pdfinfo(b"Title:  x\nPages:           21\nEncrypted: no\n"), Some(21));
        assert_eq!(pages_of_pdfinfo(b"Pages: 0\n"), None);
        assert_eq!(pages_of_pdfinfo(b""), None);
    }

    #[test]
    fn what_is_no_pdf_has_no_count() {
        assert_eq!(count(b"%PDF-1.4\n%%EOF"), Pages::Unknown);
        assert_eq!(count(b"%PDF-1.4\n1 0 obj"), Pages::Truncated);
    }
}
