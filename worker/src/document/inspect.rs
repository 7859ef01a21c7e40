//! From a file to what its headers say, before anything of it is decoded.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use shared::domain::ContentType;

use super::{DocumentError, DocumentInfo, MAX_PAGES, check_pixels, jpeg, pdf, png, tiff};
use crate::sandbox::Sandbox;

/// Reads the headers of a document. Files are made in `scratch` only.
///
/// # Errors
///
/// [`DocumentError`], each variant with its code.
pub async fn inspect(
    path: &Path,
    content_type: ContentType,
    sandbox: &Sandbox,
    scratch: &Path,
) -> Result<DocumentInfo, DocumentError> {
    let pixels = if content_type == ContentType::Pdf {
        Vec::new()
    } else {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || image_pixels(&path, content_type))
            .await
            .map_err(|_| DocumentError::Unreadable("its headers cannot be read"))??
    };
    let pages = match content_type {
        ContentType::Pdf => pdf::page_count(path, sandbox, scratch).await?,
        _ => pixels.len() as u32,
    };
    if pages > MAX_PAGES {
        return Err(DocumentError::TooManyPages(u64::from(pages)));
    }
    Ok(DocumentInfo { content_type, pages, pixels })
}

fn image_pixels(path: &Path, content_type: ContentType) -> Result<Vec<(u32, u32)>, DocumentError> {
    let mut file = BufReader::new(File::open(path)?);
    let pixels = match content_type {
        ContentType::Jpeg => vec![jpeg::pixels(&mut file)?],
        ContentType::Png => vec![png::pixels(&mut file)?],
        ContentType::Tiff => tiff::pages(&mut file)?.iter().map(|page| (page.width, page.height)).collect(),
        ContentType::Pdf => Vec::new(),
    };
    for (width, height) in &pixels {
        check_pixels(*width, *height)?;
    }
    Ok(pixels)
}
