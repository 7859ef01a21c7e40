//! OCR over HTTP against a service with both forms of answers and with faults.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use harness::standins::ocr::{Behaviour, Fault, Ocr};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use serde_json::json;
use shared::domain::{ContentType, ErrorCode, PageSource};
use shared::telemetry::Metrics;
use tempfile::TempDir;
use worker::document::{DocumentFile, DocumentInfo};
use worker::ocr::{HttpEngine, OcrEngine as _, OcrError, Reading};

struct Run {
    scratch: TempDir,
}

impl Run {
    fn new() -> Self {
        Self { scratch: tempfile::tempdir().expect("a folder") }
    }

    fn document(&self, bytes: &[u8], content_type: ContentType, pages: u32) -> DocumentFile {
        let path = self.scratch.path().join("document");
        std::fs::write(&path, bytes).expect("written");
        DocumentFile { path, info: DocumentInfo { content_type, pages, pixels: Vec::new() } }
    }

    async fn read(&self, service: &Ocr, document: &DocumentFile) -> Result<Reading, OcrError> {
        engine(&service.base_url()).read(document, self.scratch.path()).await
    }
}

fn engine(base: &str) -> HttpEngine {
    HttpEngine::new(&base.parse().expect("an address"), 2, Metrics::default()).expect("a client")
}

/// Long enough that it goes out in several pieces.
fn long_pdf() -> Vec<u8> {
    let mut pdf = b"%PDF-1.4\n".to_vec();
    pdf.extend((0..700_000u32).map(|at| (at % 251) as u8));
    pdf
}

async fn read_pdf(behaviour: Behaviour) -> (Result<Reading, OcrError>, Ocr) {
    let service = Ocr::start(behaviour).await;
    let run = Run::new();
    let document = run.document(b"%PDF-1.4 short", ContentType::Pdf, 2);
    (run.read(&service, &document).await, service)
}

fn texts(reading: Result<Reading, OcrError>) -> Vec<(u32, String)> {
    let pages = reading.expect("it was read").pages;
    pages.into_iter().map(|page| (page.page.number, page.page.text)).collect()
}

fn two_pages() -> Vec<(u32, String)> {
    vec![(1, "Справка".to_owned()), (2, "выдана".to_owned())]
}

#[tokio::test]
async fn a_pdf_goes_out_as_it_was_uploaded_and_comes_back_as_text() {
    for pdf in [b"%PDF-1.4 short".to_vec(), long_pdf()] {
        let behaviour = Behaviour { keep_uploads: true, ..Behaviour::reading(&["Справка", "выдана"]) };
        let service = Ocr::start(behaviour).await;
        let run = Run::new();
        let reading = run.read(&service, &run.document(&pdf, ContentType::Pdf, 2)).await.expect("read");
        let page = &reading.pages[0].page;
        assert_eq!((page.number, page.text.as_str(), page.source), (1, "Справка", PageSource::Http));
        assert_eq!((page.confidence, page.words.len(), &reading.pages[0].picture), (None, 0, &None));
        let upload = &service.uploads()[0];
        assert!(upload.bytes == pdf, "the bytes of the upload");
        assert_eq!(upload.content_type.as_deref(), Some("application/pdf"));
        assert_eq!(upload.filename.as_deref(), Some("document.pdf"));
    }
}

#[tokio::test]
async fn a_reading_that_is_done_at_once_is_fetched_at_once() {
    let (reading, service) = read_pdf(Behaviour::reading(&["Справка", "выдана"])).await;
    assert_eq!(texts(reading), two_pages());
    assert_eq!(service.polls(), 1);
}

#[tokio::test]
async fn a_reading_that_takes_time_is_asked_for_until_it_is_done() {
    let delay = Duration::from_millis(700);
    let (reading, service) = read_pdf(Behaviour { delay, ..Behaviour::reading(&["Справка", "выдана"]) }).await;
    assert_eq!(texts(reading), two_pages());
    assert!((2..=4).contains(&service.polls()), "{} polls, with growing pauses from 0.2 s", service.polls());
}

#[tokio::test]
async fn the_older_form_is_read_too() {
    let (reading, _) = read_pdf(Behaviour { nested: true, ..Behaviour::reading(&["Справка", "выдана"]) }).await;
    assert_eq!(texts(reading), two_pages());
}

#[tokio::test]
async fn pages_without_numbers_or_a_word_are_part_of_the_result() {
    let pages = json!([{"page_number": null, "text": ""}, {"text": " "}]);
    let (reading, _) = read_pdf(Behaviour { pages, ..Behaviour::default() }).await;
    let reading = reading.expect("read");
    assert_eq!(reading.pages.len(), 2);
    assert!(reading.pages.iter().all(|reading| reading.page.text.trim().is_empty()));
}

#[tokio::test]
async fn passing_faults_are_tried_again() {
    let faults = vec![Fault::Status(503, None), Fault::Status(429, Some("0"))];
    let (reading, _) = read_pdf(Behaviour { faults, ..Behaviour::reading(&["Справка", "выдана"]) }).await;
    assert_eq!(texts(reading), two_pages());
}

#[tokio::test]
async fn lasting_faults_end_in_ocr_failed() {
    for fault in [Fault::Failed, Fault::Status(400, None), Fault::Broken, Fault::Huge(9 * 1024 * 1024)] {
        let behaviour = Behaviour { faults: vec![fault.clone()], ..Behaviour::reading(&["Справка"]) };
        let (reading, _) = read_pdf(behaviour).await;
        let error = reading.expect_err("a lasting fault");
        assert_eq!(error.code(), ErrorCode::OcrFailed, "{fault:?}");
        assert!(error.retryable());
    }
}

fn shades(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageLuma8(GrayImage::from_fn(width, height, |x, y| Luma([(x * 7 + y * 3) as u8])))
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// The uploaded PDF's images: size and encoded bytes, page by page.
async fn images_sent(image: &[u8], content_type: ContentType) -> Vec<(i64, i64, Vec<u8>)> {
    let service = Ocr::start(Behaviour { keep_uploads: true, ..Behaviour::reading(&["a"]) }).await;
    let run = Run::new();
    run.read(&service, &run.document(image, content_type, 1)).await.expect("read");
    let pdf = lopdf::Document::load_mem(&service.uploads()[0].bytes).expect("a whole PDF");
    let pages = pdf.get_pages();
    let of_page = |id: &(u32, u16)| pdf.get_page_images(*id).expect("its images");
    let images = pages.values().flat_map(of_page);
    images.map(|image| (image.width, image.height, image.content.to_vec())).collect()
}

#[tokio::test]
async fn a_jpeg_is_wrapped_as_it_is() {
    let jpeg = encoded(&shades(40, 30), ImageFormat::Jpeg);
    assert_eq!(images_sent(&jpeg, ContentType::Jpeg).await, [(40, 30, jpeg)]);
}

#[tokio::test]
async fn png_and_tiff_are_wrapped_as_pictures_of_their_size() {
    for (format, content_type) in [(ImageFormat::Png, ContentType::Png), (ImageFormat::Tiff, ContentType::Tiff)] {
        let sent = images_sent(&encoded(&shades(40, 30), format), content_type).await;
        let [(40, 30, jpeg)] = &sent[..] else { panic!("one image of 40 × 30, not {}", sent.len()) };
        let read = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").into_luma8();
        let off = |x: u32, y: u32| i32::from(read.get_pixel(x, y).0[0]).abs_diff((x * 7 + y * 3) as i32 % 256);
        assert!(off(5, 5) < 12 && off(20, 10) < 12, "{content_type:?}: the shades are those of the image");
    }
}

#[tokio::test]
async fn an_image_that_cannot_be_decoded_is_unreadable_and_goes_nowhere() {
    let service = Ocr::start(Behaviour { keep_uploads: true, ..Behaviour::default() }).await;
    let run = Run::new();
    let document = run.document(b"\x89PNG\r\n\x1a\nbroken", ContentType::Png, 1);
    let error = run.read(&service, &document).await.expect_err("no image");
    assert_eq!(error.code(), ErrorCode::DocumentUnreadable);
    assert!(service.uploads().is_empty());
}

#[tokio::test]
async fn a_file_that_is_gone_is_no_fault_of_the_service() {
    let service = Ocr::start(Behaviour::default()).await;
    let run = Run::new();
    let mut document = run.document(b"", ContentType::Pdf, 1);
    document.path = Path::new("gone").to_owned();
    let error = run.read(&service, &document).await.expect_err("no file");
    assert_eq!(error.code(), ErrorCode::FileSaveFailed);
}
