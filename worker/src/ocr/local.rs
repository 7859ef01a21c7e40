//! Reading on this machine, with Poppler and Tesseract.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::TryStreamExt;
use shared::domain::{ContentType, Page, PageSource, Word};
use tokio::sync::Semaphore;

use super::page_image::{self, ImageReading};
use super::poppler::{self, EmbeddedImage};
use super::tesseract::{self, Languages, Segmentation};
use super::text_layer::{self, LayerPage};
use super::{OcrEngine, OcrError, PageReading, Reading, tsv};
use crate::document::{DocumentFile, tiff};
use crate::imaging::decode::decode_pnm;
use crate::imaging::{ImagingError, Pixels, Scan, decode};
use crate::sandbox::Sandbox;

/// A page without an image of its own is rendered at this many pixels an inch.
const RENDER_RESOLUTION: f32 = 300.0;

/// A page with a text layer is drawn with so many pixels on its longer side to look at it: 280 an inch on A4.
const LOOK_SIDE: u32 = 3_300;

/// An image that covers this share of a page is the page; text over it is somebody's OCR.
const COVERS: f32 = 0.8;

/// OCR by Tesseract, text layers by Poppler.
#[derive(Clone)]
pub struct TesseractEngine {
    sandbox: Sandbox,
    /// Pages in memory at once, over all runs: one for each child that may run.
    pages: Arc<Semaphore>,
}

impl TesseractEngine {
    /// An engine whose programs run in this sandbox.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        let pages = Arc::new(Semaphore::new(sandbox.processes()));
        Self { sandbox, pages }
    }

    async fn read_image_file(&self, document: &DocumentFile, scratch: &Path) -> Result<Vec<PageReading>, OcrError> {
        self.in_order(1..=document.info.pages, |number| async move {
            let _page = self.page().await?;
            let (path, kind) = (document.path.clone(), document.info.content_type);
            match decoded(move || decode(&path, kind, number as usize - 1).map(Pixels::scan)).await? {
                Some(scan) => self.read_scan(scan, scratch, number).await,
                None if kind == ContentType::Tiff => self.read_unusual(document, scratch, number).await,
                None => Err(OcrError::Unreadable(ImagingError::Unsupported.to_string())),
            }
        })
        .await
    }

    /// A page that only Tesseract's library decodes: its text as it stands, without a picture.
    async fn read_unusual(
        &self,
        document: &DocumentFile,
        scratch: &Path,
        number: u32,
    ) -> Result<PageReading, OcrError> {
        let damaged = || OcrError::Unreadable("the TIFF is damaged".to_owned());
        let path = document.path.clone();
        let pages =
            tokio::task::spawn_blocking(move || tiff::pages(&mut std::io::BufReader::new(std::fs::File::open(path)?)))
                .await
                .map_err(|_| damaged())?
                .map_err(|_| damaged())?;
        let place = pages.get(number as usize - 1).ok_or_else(damaged)?;
        let words = tesseract::read_unusual_tiff(
            &self.sandbox,
            scratch,
            &document.path,
            place.directory,
            (place.width, place.height),
        )
        .await?;
        let page = page(number, words, PageSource::Tesseract);
        Ok(PageReading { page, picture: None, second_attempt: false })
    }

    async fn read_pdf(&self, document: &DocumentFile, scratch: &Path) -> Result<Vec<PageReading>, OcrError> {
        let (pdf, count) = (&document.path, document.info.pages);
        let table = poppler::words(&self.sandbox, scratch, pdf, count).await?;
        let images = poppler::images(&self.sandbox, scratch, pdf, count).await?;
        let layers = text_layer::pages(&table, count);
        let (layers, images) = (&layers, &images);
        self.in_order(1..=count, |number| async move {
            let layer = &layers[number as usize - 1];
            let whole = images.iter().find(|image| image.page == number && covers(image, layer));
            if whole.is_none()
                && text_layer::is_real(&layer.words)
                && let Some(reading) = self.read_layer(pdf, layer, scratch, number).await?
            {
                return Ok(reading);
            }
            let _page = self.page().await?;
            let resolution = whole.map_or(RENDER_RESOLUTION, |image| image.resolution.clamp(100.0, RENDER_RESOLUTION));
            let pnm = poppler::render(&self.sandbox, scratch, pdf, number, layer.points, resolution).await?;
            self.read_scan(drawn(pnm, Pixels::scan).await?, scratch, number).await
        })
        .await
    }

    /// A page as its text layer has it; none where what people see of the layer is no text.
    async fn read_layer(
        &self,
        pdf: &Path,
        layer: &LayerPage,
        scratch: &Path,
        number: u32,
    ) -> Result<Option<PageReading>, OcrError> {
        let jpeg = poppler::picture(&self.sandbox, scratch, pdf, number).await?;
        let file = keep(scratch, number, &jpeg).await?;
        let _page = self.page().await?;
        let path = file.clone();
        let Some(picture) = decoded(move || decode(&path, ContentType::Jpeg, 0).map(Pixels::gray)).await? else {
            return Ok(None);
        };
        let words = text_layer::visible(&layer.words, &picture);
        Ok(text_layer::is_real(&words).then(|| PageReading {
            page: page(number, words, PageSource::TextLayer),
            picture: Some(file),
            second_attempt: false,
        }))
    }

    /// Reads the drawn page in one go: it is neither turned nor skewed nor badly lit.
    async fn look_at(&self, pdf: &Path, number: u32, scratch: &Path) -> Result<Page, OcrError> {
        let _page = self.page().await?;
        let pnm = poppler::look(&self.sandbox, scratch, pdf, number, LOOK_SIDE).await?;
        let gray = drawn(pnm, Pixels::gray).await?;
        let (languages, segmentation) = (Languages::RussianFirst, Segmentation::Column);
        let words = tesseract::read(&self.sandbox, scratch, &gray, languages, segmentation).await?;
        Ok(page(number, words, PageSource::Tesseract))
    }

    async fn read_scan(&self, scan: Scan, scratch: &Path, number: u32) -> Result<PageReading, OcrError> {
        let ImageReading { words, jpeg, second_attempt } = page_image::read(&self.sandbox, scratch, scan).await?;
        let picture = Some(keep(scratch, number, &jpeg).await?);
        Ok(PageReading { page: page(number, words, PageSource::Tesseract), picture, second_attempt })
    }

    /// Reads pages side by side and gives them back in order.
    async fn in_order<F, P>(
        &self,
        numbers: impl IntoIterator<Item = u32>,
        read: impl Fn(u32) -> F,
    ) -> Result<Vec<P>, OcrError>
    where
        F: Future<Output = Result<P, OcrError>>,
    {
        futures::stream::iter(numbers).map(read).buffered(self.sandbox.processes()).try_collect().await
    }

    async fn page(&self) -> Result<tokio::sync::SemaphorePermit<'_>, OcrError> {
        self.pages.acquire().await.map_err(|_| OcrError::Failed("the worker is going down".to_owned()))
    }
}

#[async_trait]
impl OcrEngine for TesseractEngine {
    fn name(&self) -> &'static str {
        "tesseract"
    }

    async fn read(&self, document: &DocumentFile, scratch: &Path) -> Result<Reading, OcrError> {
        let pages = match document.info.content_type {
            ContentType::Pdf => self.read_pdf(document, scratch).await?,
            ContentType::Jpeg | ContentType::Png | ContentType::Tiff => self.read_image_file(document, scratch).await?,
        };
        Ok(Reading { pages })
    }

    async fn look(&self, document: &DocumentFile, numbers: &[u32], scratch: &Path) -> Result<Vec<Page>, OcrError> {
        let pdf = &document.path;
        self.in_order(numbers.iter().copied(), |number| self.look_at(pdf, number, scratch)).await
    }
}

fn covers(image: &EmbeddedImage, page: &LayerPage) -> bool {
    image.points.0 * image.points.1 >= COVERS * page.points.0 * page.points.1
}

fn page(number: u32, words: Vec<Word>, source: PageSource) -> Page {
    Page { number, text: tsv::text(&words), confidence: tsv::confidence(&words), words, source }
}

async fn keep(scratch: &Path, number: u32, jpeg: &[u8]) -> Result<PathBuf, OcrError> {
    let file = scratch.join(format!("page-{number}.jpg"));
    tokio::fs::write(&file, jpeg).await?;
    Ok(file)
}

/// What is needed of the page that Poppler has drawn.
async fn drawn<T: Send + 'static>(pnm: Vec<u8>, needed: fn(Pixels) -> T) -> Result<T, OcrError> {
    let made = decoded(move || decode_pnm(pnm).map(needed)).await?;
    made.ok_or_else(|| OcrError::Unreadable(ImagingError::Unsupported.to_string()))
}

/// Decodes where it blocks nobody; none where the form is not decoded here. A decoder that panics has met a damaged file.
async fn decoded<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImagingError> + Send + 'static,
) -> Result<Option<T>, OcrError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(made)) => Ok(Some(made)),
        Ok(Err(ImagingError::Unsupported)) => Ok(None),
        Ok(Err(ImagingError::File(error))) => Err(OcrError::File(error)),
        Ok(Err(error)) => Err(OcrError::Unreadable(error.to_string())),
        Err(error) if error.is_panic() => Err(OcrError::Unreadable("a page image is damaged".to_owned())),
        Err(_) => Err(OcrError::Failed("the worker is going down".to_owned())),
    }
}
