//! Documents that cannot be taken on, and those that can, by their headers.

use std::path::PathBuf;

use harness::papers;
use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions};
use proptest::prelude::*;
use shared::domain::{ContentType, ErrorCode};
use worker::document::{DocumentError, DocumentInfo, inspect, jpeg, png, tiff};
use worker::sandbox::Sandbox;

async fn inspected(bytes: &[u8]) -> Result<DocumentInfo, DocumentError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("document");
    std::fs::write(&path, bytes).expect("it can be written");
    let kind = ContentType::from_first_bytes(bytes).expect("a known kind");
    inspect(&path, kind, &Sandbox::new(2).expect("a thread"), folder.path()).await
}

async fn code(bytes: &[u8]) -> ErrorCode {
    inspected(bytes).await.expect_err("it cannot be taken on").code()
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).expect("a sample")
}

/// A PDF of so many empty pages.
fn pdf(pages: usize) -> Document {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let kids: Vec<Object> = (0..pages)
        .map(|_| {
            let mut page = lopdf::Dictionary::new();
            page.set("Type", "Page");
            page.set("Parent", tree);
            page.set("MediaBox", vec![0.into(), 0.into(), 595.into(), 842.into()]);
            document.add_object(page).into()
        })
        .collect();
    let mut pages_of = lopdf::Dictionary::new();
    pages_of.set("Type", "Pages");
    pages_of.set("Count", pages as i64);
    pages_of.set("Kids", kids);
    document.objects.insert(tree, Object::Dictionary(pages_of));
    let mut catalog = lopdf::Dictionary::new();
    catalog.set("Type", "Catalog");
    catalog.set("Pages", tree);
    let catalog = document.add_object(catalog);
    document.trailer.set("Root", catalog);
    let id = Object::String(b"0123456789abcdef".to_vec(), lopdf::StringFormat::Literal);
    document.trailer.set("ID", vec![id.clone(), id]);
    document
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("it can be written");
    bytes
}

fn encrypted(user_password: &str) -> Vec<u8> {
    let mut document = pdf(2);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password,
        key_length: 128,
        permissions: Permissions::PRINTABLE,
    };
    let state = EncryptionState::try_from(version).expect("a key");
    document.encrypt(&state).expect("it is not yet encrypted");
    bytes(document)
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 0, 0, 0, 0]);
    file
}

fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8];
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([1, 1, 0x11, 0, 0xFF, 0xDA, 0, 2, 1, 2, 3, 0xFF, 0xD9]);
    file
}

#[tokio::test]
async fn pages_of_a_pdf_are_counted_up_to_twenty() {
    assert_eq!(inspected(&bytes(pdf(1))).await.expect("one page").pages, 1);
    assert_eq!(inspected(&bytes(pdf(20))).await.expect("twenty pages").pages, 20);
    assert_eq!(code(&bytes(pdf(21))).await, ErrorCode::PdfTooManyPages);
    assert_eq!(inspected(&sample("text-layer.pdf")).await.expect("a sample").pages, 1);
}

#[tokio::test]
async fn pages_of_a_tiff_are_counted_up_to_twenty() {
    assert_eq!(inspected(&papers::tiff(20, 100, 100)).await.expect("twenty pages").pages, 20);
    assert_eq!(code(&papers::tiff(21, 100, 100)).await, ErrorCode::PdfTooManyPages);
    let fax = inspected(&sample("fax.tif")).await.expect("a sample");
    assert_eq!((fax.pages, fax.pixels.len()), (1, 1));
}

#[tokio::test]
async fn junk_before_a_pdf_does_no_harm() {
    let with_junk = [b"received by gateway\r\n".to_vec(), bytes(pdf(3))].concat();
    assert_eq!(inspected(&with_junk).await.expect("it opens").pages, 3);
}

#[tokio::test]
async fn a_truncated_document_is_unreadable() {
    let whole = sample("text-layer.pdf");
    for parts in [3, 5, 9] {
        assert_eq!(code(&whole[..whole.len() * parts / 10]).await, ErrorCode::DocumentUnreadable, "{parts} tenths");
    }
    assert_eq!(code(&jpeg_of(100, 100)[..20]).await, ErrorCode::DocumentUnreadable);
    assert_eq!(code(&png_of(100, 100)[..20]).await, ErrorCode::DocumentUnreadable);
    assert_eq!(code(&papers::tiff(2, 100, 100)[..50]).await, ErrorCode::DocumentUnreadable);
}

#[tokio::test]
async fn a_pdf_that_needs_a_password_is_unreadable_and_one_that_only_restricts_is_not() {
    assert_eq!(code(&encrypted("secret")).await, ErrorCode::DocumentUnreadable);
    assert_eq!(inspected(&encrypted("")).await.expect("anybody may open it").pages, 2);
}

#[tokio::test]
async fn images_of_thirty_thousand_pixels_a_side_are_refused_by_their_headers() {
    for file in [png_of(30_000, 30_000), papers::tiff(1, 30_000, 30_000), jpeg_of(30_000, 30_000)] {
        assert_eq!(code(&file).await, ErrorCode::DocumentUnreadable);
    }
    for file in [png_of(8_160, 6_144), papers::tiff(1, 8_160, 6_144), jpeg_of(8_160, 6_144)] {
        assert_eq!(inspected(&file).await.expect("a camera's size").pixels, [(8_160, 6_144)]);
    }
    assert_eq!(code(&png_of(20_001, 1)).await, ErrorCode::DocumentUnreadable);
    assert_eq!(code(&png_of(0, 10)).await, ErrorCode::DocumentUnreadable);
}

#[tokio::test]
async fn a_tiff_whose_chain_of_pages_runs_in_a_circle_is_refused() {
    let mut circle = papers::tiff(3, 100, 100);
    let last = circle.len() - 4;
    circle[last..].copy_from_slice(&8u32.to_le_bytes());
    assert_eq!(code(&circle).await, ErrorCode::DocumentUnreadable);
}

#[tokio::test]
async fn a_pdf_nested_without_end_neither_overflows_a_stack_nor_takes_long() {
    let nested = |open: &str, close: &str| {
        let deep = format!("{}0{}", open.repeat(300_000), close.repeat(300_000));
        let mut file = format!("%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /X {deep} >>\nendobj\n");
        let second = file.len();
        file += &format!("2 0 obj\n<< /Type /Pages /Count 1 /Kids [{deep}] >>\nendobj\n");
        let table = file.len();
        file += &format!(
            "xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n{second:010} 00000 n \n\
             trailer\n<< /Size 3 /Root 1 0 R /Y {deep} >>\nstartxref\n{table}\n%%EOF\n"
        );
        file.into_bytes()
    };
    for (open, close) in [("[", "]"), ("<</A ", ">>"), ("(", ")"), ("[<</A [", "]>>]")] {
        // What comes of it is for Poppler to say; that anything comes of it is the point.
        if let Err(error) = inspected(&nested(open, close)).await {
            assert_eq!(error.code(), ErrorCode::DocumentUnreadable, "{open}: {error}");
        }
    }
}

#[tokio::test]
async fn a_pdf_whose_tree_of_pages_runs_in_a_circle_is_counted_or_refused() {
    let mut circle = pdf(1);
    let tree = circle.catalog().expect("a catalog").get(b"Pages").and_then(Object::as_reference).expect("a tree");
    let kids = circle.get_dictionary_mut(tree).expect("the tree");
    kids.set("Kids", vec![Object::Reference(tree), Object::Reference(tree)]);
    kids.remove(b"Count");
    if let Err(error) = inspected(&bytes(circle)).await {
        assert_eq!(error.code(), ErrorCode::DocumentUnreadable, "{error}");
    }
}

#[tokio::test]
async fn previews_in_a_tiff_are_no_pages() {
    let mut file = papers::tiff(2, 100, 100);
    // The first directory's width becomes its NewSubfileType: a preview.
    file[10..12].copy_from_slice(&254u16.to_le_bytes());
    file[18..22].copy_from_slice(&1u32.to_le_bytes());
    assert_eq!(inspected(&file).await.expect("one page is left").pages, 1);
}

proptest! {
    #[test]
    fn no_header_makes_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = std::io::Cursor::new(bytes);
        let _ = (jpeg::pixels(&mut file), png::pixels(&mut file), tiff::pages(&mut file));
    }

    #[test]
    fn no_damage_makes_a_parser_panic_or_run_away(at in 0usize..600, byte in any::<u8>(), big in any::<bool>()) {
        for mut file in [papers::tiff(20, 100, 100), jpeg_of(10, 10), png_of(10, 10)] {
            if big && file.len() > 3 {
                file[2] = 43;
            }
            let length = file.len();
            file[at % length] = byte;
            let mut file = std::io::Cursor::new(file);
            let _ = (jpeg::pixels(&mut file), png::pixels(&mut file));
            if let Ok(pages) = tiff::pages(&mut file) {
                prop_assert!(pages.len() <= 20);
            }
        }
    }
}
