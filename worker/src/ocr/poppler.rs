//! What Poppler's programs are asked.

use std::ffi::OsString;
use std::path::Path;

use super::OcrError;
use crate::imaging::picture::PICTURE_SIDE;
use crate::sandbox::{Limits, Sandbox, SandboxError, Task};

/// A page is rendered with at most this many pixels on its longer side.
const RENDER_SIDE: f32 = 5_000.0;

/// Of a page that part is read and drawn which readers of PDF show.
const SHOWN: &str = "-cropbox";

/// An image of a PDF, as `pdfimages -list` tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EmbeddedImage {
    /// Page it stands on, from 1.
    pub page: u32,
    /// Width and height on the page, in points.
    pub points: (f32, f32),
    /// Pixels an inch, the finer of both directions.
    pub resolution: f32,
}

/// The words of all pages with their places, as a table of `pdftotext`.
pub(super) async fn words(sandbox: &Sandbox, scratch: &Path, pdf: &Path, pages: u32) -> Result<String, OcrError> {
    let pages = pages.to_string();
    let arguments = [
        OsString::from("-tsv"),
        SHOWN.into(),
        "-f".into(),
        "1".into(),
        "-l".into(),
        pages.into(),
        pdf.into(),
        "-".into(),
    ];
    let table = run(sandbox, scratch, "pdftotext", arguments.into()).await?;
    Ok(String::from_utf8_lossy(&table).into_owned())
}

/// The images of all pages.
pub(super) async fn images(
    sandbox: &Sandbox,
    scratch: &Path,
    pdf: &Path,
    pages: u32,
) -> Result<Vec<EmbeddedImage>, OcrError> {
    let pages = pages.to_string();
    let arguments = [OsString::from("-list"), "-f".into(), "1".into(), "-l".into(), pages.into(), pdf.into()];
    let table = run(sandbox, scratch, "pdfimages", arguments.into()).await?;
    Ok(parse_images(&String::from_utf8_lossy(&table)))
}

/// A page as a PPM, at a resolution that keeps it within bounds.
pub(super) async fn render(
    sandbox: &Sandbox,
    scratch: &Path,
    pdf: &Path,
    page: u32,
    points: (f32, f32),
    resolution: f32,
) -> Result<Vec<u8>, OcrError> {
    let long = points.0.max(points.1).max(1.0);
    let resolution = resolution.min(RENDER_SIDE * 72.0 / long).max(1.0);
    let arguments = vec!["-r".into(), format!("{resolution:.1}").into()];
    rendered(sandbox, scratch, pdf, page, arguments).await
}

/// A page as a JPEG for people to look at.
pub(super) async fn picture(sandbox: &Sandbox, scratch: &Path, pdf: &Path, page: u32) -> Result<Vec<u8>, OcrError> {
    let side = PICTURE_SIDE.to_string();
    let arguments = vec!["-jpeg".into(), "-jpegopt".into(), "quality=80".into(), "-scale-to".into(), side.into()];
    let jpeg = rendered(sandbox, scratch, pdf, page, arguments).await?;
    if jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]) {
        Ok(jpeg)
    } else {
        Err(OcrError::Unreadable("a page of the PDF cannot be rendered".to_owned()))
    }
}

/// A page in grey with so many pixels on its longer side, as a PGM.
pub(super) async fn look(
    sandbox: &Sandbox,
    scratch: &Path,
    pdf: &Path,
    page: u32,
    side: u32,
) -> Result<Vec<u8>, OcrError> {
    let side = side.to_string();
    rendered(sandbox, scratch, pdf, page, vec!["-gray".into(), "-scale-to".into(), side.into()]).await
}

async fn rendered(
    sandbox: &Sandbox,
    scratch: &Path,
    pdf: &Path,
    page: u32,
    mut arguments: Vec<OsString>,
) -> Result<Vec<u8>, OcrError> {
    let page = page.to_string();
    arguments.extend([SHOWN, "-f", &page, "-l", &page, "-singlefile"].map(OsString::from));
    arguments.push(pdf.into());
    run(sandbox, scratch, "pdftoppm", arguments).await
}

async fn run(
    sandbox: &Sandbox,
    scratch: &Path,
    program: &'static str,
    arguments: Vec<OsString>,
) -> Result<Vec<u8>, OcrError> {
    let task = Task { program, arguments, folder: scratch, limits: Limits::EXTRACT };
    sandbox.run(task).await.map_err(|error| refused(program, &error))
}

fn refused(program: &str, error: &SandboxError) -> OcrError {
    if error.is_the_files_fault() {
        OcrError::Unreadable(format!("{program}: {error}"))
    } else {
        OcrError::Failed(format!("{program}: {error}"))
    }
}

/// Lines of `page num type width height color comp bpc enc interp object ID x-ppi y-ppi size ratio`.
fn parse_images(table: &str) -> Vec<EmbeddedImage> {
    table
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [page, _, kind, width, height, ..] = cells[..] else {
                return None;
            };
            // Masks are parts of other images. From the end, since an inline image has no object number.
            if kind != "image" || cells.len() < 14 {
                return None;
            }
            let number = |cell: &str| cell.parse::<f32>().ok().filter(|number| *number > 0.0);
            let (across, down) = (number(cells[cells.len() - 4])?, number(cells[cells.len() - 3])?);
            Some(EmbeddedImage {
                page: page.parse().ok()?,
                points: (number(width)? * 72.0 / across, number(height)? * 72.0 / down),
                resolution: across.max(down),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_images_is_understood() {
        let table = "page   num  type   width height color comp bpc  enc interp  object ID x-ppi y-ppi size ratio\n\
                     ------------------------------------------------------------------------------------\n\
                     1     0 image    1653  2339  gray    1   8  jpeg   no         7  0   200   200  324K 8.6%\n\
                     1     1 smask    1653  2339  gray    1   8  jpeg   no         7  0   200   200  324K 8.6%\n\
                     2     2 image      20    20  rgb     3   8  image  no   [inline]       72    72  119B 9.9%\n";
        let images = parse_images(table);
        assert_eq!(images.len(), 2);
        assert_eq!((images[0].page, images[0].resolution), (1, 200.0));
        assert!((images[0].points.0 - 595.08).abs() < 0.1);
        assert_eq!(images[1], EmbeddedImage { page: 2, points: (20.0, 20.0), resolution: 72.0 });
    }
}
