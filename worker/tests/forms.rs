//! The forms in which a page may come, the rare and the hostile: each ends in a reading or as unreadable, within
//! the limits of time and memory that every child has.

use std::io::Cursor;
use std::path::PathBuf;

use image::{DynamicImage, GrayImage, ImageFormat, RgbaImage};
use lopdf::{Document, Object, Stream, dictionary};
use shared::domain::text_quality::{TextQuality, assess};
use shared::domain::{ContentType, Page};
use tiff::encoder::{Compression, DeflateLevel, TiffEncoder, colortype};
use worker::document::{DocumentError, DocumentFile, inspect};
use worker::imaging::{Gray, decode};
use worker::ocr::{OcrEngine, OcrError, TesseractEngine};
use worker::sandbox::Sandbox;

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn sample_bytes(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).expect("a sample")
}

fn fax() -> Gray {
    decode(&sample("fax.tif"), ContentType::Tiff, 0).expect("it decodes").gray()
}

/// How a document ends that is taken on or not.
#[derive(Debug)]
enum End {
    Read(Vec<Page>),
    Unreadable,
}

async fn end(bytes: &[u8]) -> End {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let path = scratch.path().join("document");
    std::fs::write(&path, bytes).expect("it can be written");
    let sandbox = Sandbox::new(2).expect("a thread");
    let kind = ContentType::from_first_bytes(bytes).expect("a known kind");
    let info = match inspect(&path, kind, &sandbox, scratch.path()).await {
        Ok(info) => info,
        Err(DocumentError::Unreadable(_)) => return End::Unreadable,
        Err(error) => panic!("{error}"),
    };
    match TesseractEngine::new(sandbox).read(&DocumentFile { path, info }, scratch.path()).await {
        Ok(reading) => End::Read(reading.pages.into_iter().map(|page| page.page).collect()),
        Err(OcrError::Unreadable(_)) => End::Unreadable,
        Err(error) => panic!("{error:?}"),
    }
}

/// What the sample fax says, in whatever form.
async fn assert_says_what_the_fax_says(form: &str, bytes: &[u8]) {
    let End::Read(pages) = end(bytes).await else {
        panic!("{form} is not read");
    };
    let text: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
    for word in ["безработных", "Абдрахманова", "05.11.2026"] {
        assert!(text.iter().any(|text| text.contains(word)), "{form}: no {word} in {text:?}");
    }
}

fn tiff_with<C: colortype::ColorType>(page: &Gray, samples: &[C::Inner], compression: Compression) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).expect("a TIFF").with_compression(compression);
    encoder.write_image::<C>(page.width as u32, page.height as u32, samples).expect("a page");
    file.into_inner()
}

#[tokio::test]
async fn a_tiff_is_read_whatever_its_compression_and_colours() {
    let page = fax();
    let sixteen: Vec<u16> = page.pixels.iter().map(|shade| u16::from(*shade) * 257).collect();
    let ink: Vec<u8> = page.pixels.iter().flat_map(|shade| [0, 0, 0, 255 - shade]).collect();
    let deflate = Compression::Deflate(DeflateLevel::Fast);
    for (form, file) in [
        ("LZW", tiff_with::<colortype::Gray8>(&page, &page.pixels, Compression::Lzw)),
        ("Deflate, 16 bits", tiff_with::<colortype::Gray16>(&page, &sixteen, deflate)),
        ("PackBits, CMYK", tiff_with::<colortype::CMYK8>(&page, &ink, Compression::Packbits)),
        ("group 3", sample_bytes("group3.tif")),
    ] {
        assert_says_what_the_fax_says(form, &file).await;
    }
}

#[tokio::test]
async fn pages_of_a_tiff_may_differ_in_size() {
    let page = fax();
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).expect("a TIFF");
    encoder.write_image::<colortype::Gray8>(400, 3, &vec![255; 1_200]).expect("a strip");
    encoder.write_image::<colortype::RGB8>(1, 1, &[9, 9, 9]).expect("a point");
    encoder.write_image::<colortype::Gray8>(page.width as u32, page.height as u32, &page.pixels).expect("a page");
    let End::Read(pages) = end(&file.into_inner()).await else {
        panic!("it is not read");
    };
    assert_eq!(pages.len(), 3);
    assert!(pages[..2].iter().all(|page| page.text.is_empty()));
    assert!(pages[2].text.contains("Абдрахманова"));
}

#[tokio::test]
async fn a_jpeg_is_read_also_progressive_and_in_the_colours_of_print() {
    for form in ["progressive.jpg", "cmyk.jpg"] {
        assert_says_what_the_fax_says(form, &sample_bytes(form)).await;
    }
}

#[tokio::test]
async fn what_is_transparent_in_a_png_is_paper() {
    let page = fax();
    let pixels = page.pixels.iter().flat_map(|shade| [0, 0, 0, 255 - shade]).collect();
    let image = RgbaImage::from_raw(page.width as u32, page.height as u32, pixels).expect("its pixels");
    for (form, image) in [
        ("8 bits", DynamicImage::ImageRgba8(image.clone())),
        ("16 bits", DynamicImage::ImageRgba16(DynamicImage::ImageRgba8(image).into_rgba16())),
    ] {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).expect("it can be written");
        assert_says_what_the_fax_says(form, &file.into_inner()).await;
    }
}

/// A page whose pixels take three bytes of the file for a million of memory.
#[tokio::test]
async fn a_picture_that_swells_is_read_within_its_limits_or_refused() {
    let blank = GrayImage::from_pixel(7_000, 7_000, image::Luma([255]));
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(blank).write_to(&mut file, ImageFormat::Png).expect("it can be written");
    let End::Read(pages) = end(&file.into_inner()).await else {
        panic!("it is within the limit of pixels");
    };
    assert_eq!(assess(&pages), TextQuality::Empty);
    let small = Gray::filled(2, 2, 255);
    let mut lies = tiff_with::<colortype::Gray8>(&small, &small.pixels, Compression::Deflate(DeflateLevel::Fast));
    // Width and height of its directory, whose pixels are not there.
    for tag in [256u16, 257] {
        let entry = lies.windows(4).position(|window| window[..2] == tag.to_le_bytes() && window[3] == 0);
        let at = entry.expect("an entry");
        lies[at + 8..at + 10].copy_from_slice(&7_000u16.to_le_bytes());
    }
    assert!(matches!(end(&lies).await, End::Unreadable));
}

/// A PDF of one page with these entries, an image over the whole page if there is one, and more in its catalog.
fn pdf(page: lopdf::Dictionary, image: Option<Stream>, catalog: lopdf::Dictionary) -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let mut of_page = dictionary! {
        "Type" => "Page", "Parent" => tree, "MediaBox" => vec![0.into(), 0.into(), 525.into(), 407.into()],
    };
    if let Some(image) = image {
        let image = document.add_object(image);
        let content = document.add_object(Stream::new(dictionary! {}, b"q 525 0 0 407 0 0 cm /Im Do Q".to_vec()));
        of_page.set("Resources", dictionary! { "XObject" => dictionary! { "Im" => image } });
        of_page.set("Contents", content);
    }
    of_page.extend(&page);
    let kid = document.add_object(of_page);
    let pages = dictionary! { "Type" => "Pages", "Count" => 1, "Kids" => vec![kid.into()] };
    document.objects.insert(tree, Object::Dictionary(pages));
    let mut root = dictionary! { "Type" => "Catalog", "Pages" => tree };
    root.extend(&catalog);
    let root = document.add_object(root);
    document.trailer.set("Root", root);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("it can be written");
    bytes
}

fn image(width: i64, height: i64, bits: i64, space: &str, filter: &str, content: Vec<u8>) -> Stream {
    let mut of_image = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Width" => width, "Height" => height,
        "BitsPerComponent" => bits, "ColorSpace" => space,
    };
    if !filter.is_empty() {
        of_image.set("Filter", filter);
    }
    Stream::new(of_image, content)
}

/// JPEG 2000, whose size its own header says.
fn jpx() -> Stream {
    let file = sample_bytes("page.jp2");
    let at = file.windows(4).position(|window| window == b"ihdr").expect("a header") + 4;
    let number = |at: usize| i64::from(u32::from_be_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]));
    image(number(at + 4), number(at), 8, "DeviceGray", "JPXDecode", file.clone())
}

#[tokio::test]
async fn a_scan_in_a_pdf_is_read_whatever_its_filter_and_turn() {
    assert_says_what_the_fax_says("CCITT", &sample_bytes("ccitt.pdf")).await;
    assert_says_what_the_fax_says("JPX", &pdf(dictionary! {}, Some(jpx()), dictionary! {})).await;
    for turn in [90, 180] {
        let file = pdf(dictionary! { "Rotate" => turn }, Some(jpx()), dictionary! {});
        assert_says_what_the_fax_says("turned", &file).await;
    }
}

#[tokio::test]
async fn scripts_files_and_forms_in_a_pdf_are_left_alone() {
    let script = dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("while (true) {}") };
    let catalog = dictionary! {
        "OpenAction" => script.clone(),
        "AA" => dictionary! { "WC" => script },
        "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => Vec::<Object>::new() } },
        "AcroForm" => dictionary! { "NeedAppearances" => true, "Fields" => Vec::<Object>::new() },
    };
    assert_says_what_the_fax_says("a script", &pdf(dictionary! {}, Some(jpx()), catalog)).await;
}

#[tokio::test]
async fn a_pdf_whose_cross_references_are_wrong_is_read_all_the_same() {
    let mut file = sample_bytes("ccitt.pdf");
    let at = file.windows(9).rposition(|window| window == b"startxref").expect("a trailer") + 10;
    file[at] = b'9';
    assert_says_what_the_fax_says("wrong references", &file).await;
}

#[tokio::test]
async fn a_pdf_without_pages_is_unreadable() {
    let mut document = Document::with_version("1.5");
    let pages = document.add_object(dictionary! { "Type" => "Pages", "Count" => 0, "Kids" => Vec::<Object>::new() });
    let root = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", root);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("it can be written");
    assert!(matches!(end(&bytes).await, End::Unreadable));
}

#[tokio::test]
async fn a_page_as_large_as_a_field_takes_no_more_than_any_other() {
    let field = vec![0.into(), 0.into(), 2_000_000.into(), 2_000_000.into()];
    let blank = pdf(dictionary! { "MediaBox" => field }, None, dictionary! {});
    match end(&blank).await {
        End::Read(pages) => assert_eq!(assess(&pages), TextQuality::Empty),
        End::Unreadable => {}
    }
}

#[tokio::test]
async fn an_image_in_a_pdf_that_swells_costs_no_more_than_its_page() {
    let (side, mut bomb) = (30_000, image(30_000, 30_000, 1, "DeviceGray", "", vec![0xFF; 30_000 * 30_000 / 8]));
    bomb.compress().expect("it can be packed");
    assert!(bomb.content.len() < side * side / 800);
    match end(&pdf(dictionary! {}, Some(bomb), dictionary! {})).await {
        End::Read(pages) => assert_eq!(assess(&pages), TextQuality::Empty),
        End::Unreadable => {}
    }
}
