//! The documents that are submitted under faults, each with the only verdict that may come of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bare_pdf::bare_pdf;

/// What stands before the text in a document's bytes: the stand-in for OCR reads what is behind it.
const TEXT: &[u8] = b"\n%TEXT ";

const KNOWN: &str = "Справка о регистрации в качестве безработного";

/// What a document is, seen from the verdict that it must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything holds.
    Valid,
    /// Another person's.
    Mismatch,
    /// Of last year.
    TooOld,
    /// Of no known type.
    Unknown,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Valid, Self::Mismatch, Self::TooOld, Self::Unknown];

    /// The code that a run of it must have; none where its verdict is `true`.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Valid => None,
            Self::Mismatch => Some("FIO_MISMATCH"),
            Self::TooOld => Some("DOC_DATE_TOO_OLD"),
            Self::Unknown => Some("DOC_TYPE_UNKNOWN"),
        }
    }
}

/// A document and who submits it.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// The applicant's name.
    pub fio: String,
    /// The PDF.
    pub bytes: Vec<u8>,
}

const SURNAMES: [&str; 8] = ["Ахметов", "Иванов", "Нурланов", "Петров", "Сулейменов", "Ким", "Жумабаев", "Савельев"];

impl Document {
    /// The n-th document, as of 2026-11-22: no two have the same bytes.
    pub fn new(n: u64) -> Self {
        let index = |n: u64, of: usize| usize::try_from(n % of as u64).unwrap_or(0);
        let kind = Kind::ALL[index(n, Kind::ALL.len())];
        let fio = format!("{} Асхат Маратович", SURNAMES[index(n / 4, SURNAMES.len())]);
        let named = if kind == Kind::Mismatch { "Оразбаева Динара Ерлановна" } else { &fio };
        let title = if kind == Kind::Unknown { "Договор аренды квартиры" } else { KNOWN };
        let date = if kind == Kind::TooOld { "20.11.2025" } else { "20.11.2026" };
        let text = format!("{title} № {n}\nВыдана: {named}\nДата выдачи: {date}\n");
        Self { kind, bytes: pdf(&text), fio }
    }
}

/// A PDF of one empty page, with the text in a comment.
fn pdf(text: &str) -> Vec<u8> {
    let objects: [(&str, &[u8]); 3] = [
        ("<</Type/Catalog/Pages 2 0 R>>", b""),
        ("<</Type/Pages/Kids[3 0 R]/Count 1>>", b""),
        ("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>", b""),
    ];
    bare_pdf(format!("TEXT {}", STANDARD.encode(text)).as_bytes(), &objects)
}

/// The text of a document made here.
pub fn text_of(pdf: &[u8]) -> Option<String> {
    let at = pdf.windows(TEXT.len()).position(|bytes| bytes == TEXT)? + TEXT.len();
    let line = pdf[at..].split(|byte| *byte == b'\n').next()?;
    String::from_utf8(STANDARD.decode(line).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_and_names_the_applicant_unless_it_is_anothers() {
        for n in 0..40 {
            let document = Document::new(n);
            let text = text_of(&document.bytes).expect("a text");
            assert_eq!(text.contains(&document.fio), document.kind != Kind::Mismatch);
            assert_eq!(text.contains(KNOWN), document.kind != Kind::Unknown);
        }
        assert_ne!(Document::new(1).bytes, Document::new(5).bytes);
    }
}
