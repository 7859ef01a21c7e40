//! Reading real pages with the real Tesseract and Poppler.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat};
use shared::domain::text_quality::{TextQuality, assess};
use shared::domain::{ContentType, Page, PageSource};
use worker::document::{DocumentFile, inspect};
use worker::imaging::skew::Slope;
use worker::imaging::warp::{Turn, straighten, turn};
use worker::imaging::{Gray, decode};
use worker::ocr::{OcrEngine, OcrError, Reading, TesseractEngine};
use worker::sandbox::Sandbox;

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn quality(reading: &Reading) -> TextQuality {
    let pages: Vec<Page> = reading.pages.iter().map(|reading| reading.page.clone()).collect();
    assess(&pages)
}

struct Read {
    reading: Result<Reading, OcrError>,
    // The pictures lie in it.
    _scratch: tempfile::TempDir,
}

async fn read(bytes: &[u8]) -> Read {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let path = scratch.path().join("document");
    std::fs::write(&path, bytes).expect("it can be written");
    let sandbox = Sandbox::new(2).expect("a thread");
    let kind = ContentType::from_first_bytes(bytes).expect("a known kind");
    let info = inspect(&path, kind, &sandbox, scratch.path()).await.expect("it can be taken on");
    let engine = TesseractEngine::new(sandbox);
    let reading = engine.read(&DocumentFile { path, info }, scratch.path()).await;
    Read { reading, _scratch: scratch }
}

fn fax() -> Gray {
    decode(&sample("fax.tif"), ContentType::Tiff, 0).expect("it decodes").gray()
}

fn encoded(page: &Gray, format: ImageFormat) -> Vec<u8> {
    let image = GrayImage::from_raw(page.width as u32, page.height as u32, page.pixels.clone()).expect("its pixels");
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(image).write_to(&mut file, format).expect("it can be written");
    file.into_inner()
}

/// What the sample fax says.
fn assert_is_the_fax(reading: &Reading, page: usize) {
    let text = &reading.pages[page].page.text;
    for word in ["Выписка", "безработных", "Абдрахманова", "941204464388", "05.11.2026", "Костанай"]
    {
        assert!(text.contains(word), "no {word} in {text}");
    }
    assert_eq!(reading.pages[page].page.source, PageSource::Tesseract);
}

fn picture_size(path: &Path) -> (u32, u32) {
    let picture = image::open(path).expect("a picture");
    (picture.width(), picture.height())
}

#[tokio::test]
async fn a_text_layer_is_read_without_ocr_with_places_and_a_picture() {
    let read = read(&std::fs::read(sample("text-layer.pdf")).expect("a sample")).await;
    let reading = read.reading.expect("it is read");
    let page = &reading.pages[0];
    assert_eq!(page.page.source, PageSource::TextLayer);
    assert!(page.page.words.len() > 20);
    assert!(page.page.words.iter().all(|word| word.rect.x + word.rect.width <= 1_001 && word.rect.height > 0));
    let (width, height) = picture_size(page.picture.as_deref().expect("a picture"));
    assert!(width.max(height) <= 1_600 && width.max(height) >= 1_500);
    assert_eq!(quality(&reading), TextQuality::Readable);
}

#[tokio::test]
async fn a_fax_is_read() {
    let read = read(&std::fs::read(sample("fax.tif")).expect("a sample")).await;
    let reading = read.reading.expect("it is read");
    assert_is_the_fax(&reading, 0);
    let surname = reading.pages[0].page.words.iter().find(|word| word.text == "Абдрахманова").expect("the surname");
    assert!((50..900).contains(&surname.rect.x) && (50..600).contains(&surname.rect.y), "{surname:?}");
    assert!(surname.confidence > 0.5);
    assert!(!reading.pages[0].second_attempt);
}

#[tokio::test]
async fn a_page_is_read_whichever_side_is_up_and_shown_upright() {
    for quarter in [Turn::Right, Turn::Half, Turn::Left] {
        let read = read(&encoded(&turn(&fax(), quarter), ImageFormat::Png)).await;
        let reading = read.reading.expect("it is read");
        assert_is_the_fax(&reading, 0);
        let (width, height) = picture_size(reading.pages[0].picture.as_deref().expect("a picture"));
        assert!(width < height, "{quarter:?} is shown lying");
    }
}

#[tokio::test]
async fn a_page_skewed_by_eight_degrees_is_read() {
    let skewed = straighten(&fax(), Slope { degrees: 8.0, change: 0.0 });
    let read = read(&encoded(&skewed, ImageFormat::Png)).await;
    assert_is_the_fax(&read.reading.expect("it is read"), 0);
}

#[tokio::test]
async fn the_orientation_in_exif_is_followed() {
    let turned = encoded(&turn(&fax(), Turn::Left), ImageFormat::Jpeg);
    // Orientation 6: turn by 90° to the right to see it upright.
    let mut exif = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let mut file = turned[..2].to_vec();
    file.append(&mut exif);
    file.extend_from_slice(&turned[2..]);
    let path = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(path.path(), &file).expect("it can be written");
    let scan = decode(path.path(), ContentType::Jpeg, 0).expect("it decodes").scan();
    assert!(scan.gray.width < scan.gray.height);
    let read = read(&file).await;
    assert_is_the_fax(&read.reading.expect("it is read"), 0);
}

#[tokio::test]
async fn every_page_of_a_tiff_is_read_in_order() {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).expect("a TIFF");
    let (upright, empty) = (fax(), Gray::filled(1_200, 1_600, 255));
    for page in [&empty, &upright] {
        encoder
            .write_image::<tiff::encoder::colortype::Gray8>(page.width as u32, page.height as u32, &page.pixels)
            .expect("a page");
    }
    let read = read(&file.into_inner()).await;
    let reading = read.reading.expect("it is read");
    assert_eq!(reading.pages.iter().map(|page| page.page.number).collect::<Vec<_>>(), [1, 2]);
    assert!(reading.pages[0].page.text.is_empty());
    assert_is_the_fax(&reading, 1);
}

/// An uncompressed TIFF whose pixels are places in a table of colours, which the worker itself does not decode.
fn with_palette(page: &Gray) -> Vec<u8> {
    let mut file = b"II*\0".to_vec();
    let (pixels_at, count) = (8u32, page.pixels.len() as u32);
    let colours_at = pixels_at + count;
    file.extend((colours_at + 256 * 3 * 2).to_le_bytes());
    file.extend(&page.pixels);
    for _ in 0..3 {
        (0..256u32).for_each(|shade| file.extend(((shade * 257) as u16).to_le_bytes()));
    }
    let entries = [
        (256u16, 4u16, 1, page.width as u32),
        (257, 4, 1, page.height as u32),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, pixels_at),
        (277, 3, 1, 1),
        (278, 4, 1, page.height as u32),
        (279, 4, 1, count),
        (320, 3, 768, colours_at),
    ];
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(u32::to_le_bytes(count));
        file.extend(u32::to_le_bytes(value));
    }
    file.extend(0u32.to_le_bytes());
    file
}

#[tokio::test]
async fn a_tiff_of_a_rare_form_is_read_by_the_library_of_tesseract() {
    let whole = with_palette(&fax());
    let read_whole = read(&whole).await;
    assert_is_the_fax(&read_whole.reading.expect("it is read"), 0);
}

#[tokio::test]
async fn an_empty_page_is_read_as_no_words() {
    let read = read(&encoded(&Gray::filled(1_200, 1_600, 240), ImageFormat::Png)).await;
    let reading = read.reading.expect("it is read");
    assert_eq!(quality(&reading), TextQuality::Empty, "{:?}", reading.pages[0].page.text);
}

#[tokio::test]
async fn an_image_cut_off_behind_its_header_is_unreadable() {
    let whole = encoded(&fax(), ImageFormat::Png);
    let read = read(&whole[..whole.len() / 2]).await;
    assert!(matches!(read.reading, Err(OcrError::Unreadable(_))));
}
