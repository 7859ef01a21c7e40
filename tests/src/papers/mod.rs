//! Documents that tests make, so that each says in its own text what it is about: PDFs with a text
//! layer, which are read without OCR, and small files that must be refused.

pub mod scan;
mod sheet;

use lopdf::{Dictionary, Document, EncryptionState, EncryptionVersion, Permissions, Stream};

pub use sheet::{Ink, Sheet};

/// Whom [`certificate`] is for, in the nominative.
pub const APPLICANT: &str = "Круглов Олег Дмитриевич";

/// The type of [`certificate`].
pub const TITLE: &str = "Справка о регистрации в качестве безработного";

/// A certificate with everything that it needs to be valid on 2026-11-22.
pub fn certificate() -> String {
    certificate_of("Круглову Олегу Дмитриевичу", Some("16.11.2026"))
}

/// A certificate for this name (in the dative), issued on this day if on any.
pub fn certificate_of(name: &str, issued: Option<&str>) -> String {
    let issued = issued.map(|day| format!("Дата выдачи: {day} г.\n")).unwrap_or_default();
    format!(
        "Карьерный центр города Актау\nСПРАВКА № 90\nо регистрации в качестве безработного\nДана гр. {name}\n\
         в том, что он зарегистрирован в качестве безработного.\n{issued}Директор Сулейменова А.Б."
    )
}

/// A PDF with a page for each text, written line by line.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    bytes(document(pages))
}

/// A PDF that nobody opens without its password.
pub fn encrypted_pdf() -> Vec<u8> {
    let mut document = document(&[&certificate()]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: "user",
        key_length: 128,
        permissions: Permissions::PRINTABLE,
    };
    let state = EncryptionState::try_from(version).expect("a key");
    document.encrypt(&state).expect("it is not encrypted yet");
    bytes(document)
}

/// A PDF whose second half was lost.
pub fn truncated_pdf() -> Vec<u8> {
    let mut whole = pdf(&[&certificate()]);
    whole.truncate(whole.len() / 2);
    whole
}

/// A classic TIFF of so many pages of so many pixels, without the pixels.
pub fn tiff(pages: u32, width: u32, height: u32) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    for page in 1..=pages {
        file.extend(2u16.to_le_bytes());
        for (tag, value) in [(256u16, width), (257, height)] {
            file.extend(tag.to_le_bytes());
            file.extend(4u16.to_le_bytes());
            file.extend(1u32.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        let next = if page == pages { 0 } else { 8 + 30 * page };
        file.extend(next.to_le_bytes());
    }
    file
}

/// A whole PNG of one white square: a small file, however many pixels it has.
pub fn png(side: u32) -> Vec<u8> {
    // A bit for each pixel; a row begins with its filter.
    let row = [vec![0], vec![0xFF; side as usize / 8]].concat();
    let mut rows = Stream::new(Dictionary::new(), row.repeat(side as usize));
    rows.compress().expect("it can be compressed");
    let size = side.to_be_bytes();
    let header = [&size[..], &size, &[1, 0, 0, 0, 0]].concat();
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &rows.content), chunk(b"IEND", &[])];
    [&b"\x89PNG\r\n\x1a\n"[..], &chunks.concat()].concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a small chunk").to_be_bytes();
    let named = [name, data].concat();
    let crc = named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    });
    [&length[..], &named, &(!crc).to_be_bytes()].concat()
}

fn document(pages: &[&str]) -> Document {
    sheet::document(&pages.iter().map(|text| Sheet::new().text(text)).collect::<Vec<_>>())
}

/// A PDF of these sheets.
pub fn pdf_of(sheets: &[Sheet]) -> Vec<u8> {
    bytes(sheet::document(sheets))
}

fn bytes(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).expect("it can be written");
    bytes
}
