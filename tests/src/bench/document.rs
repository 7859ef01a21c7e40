//! The document that is submitted: a scan in a PDF of 90 KB, no two alike, and what the stand-ins read in it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::bare_pdf::bare_pdf;
use crate::standins::llm::{Call, CallType};

/// Bytes of the document, nearly.
pub const BYTES: usize = 90_000;

/// As whom it is submitted.
pub const APPLICANT: &str = "Тестов Иван Петрович";

const TITLE: &str = "Справка о неполучении доходов";
const PERSON: &str = "Тестов Иван Петрович";
const DATE: &str = "10.11.2026";

/// One page that is a picture of noise, which nothing makes smaller.
#[derive(Clone, Debug)]
pub struct Scans {
    file: Vec<u8>,
    picture: usize,
}

impl Default for Scans {
    fn default() -> Self {
        Self::new()
    }
}

impl Scans {
    /// Makes the page.
    pub fn new() -> Self {
        let (width, height) = (298, BYTES / 298);
        let mut noise = 0x9e37_79b9_u32;
        let picture: Vec<u8> = std::iter::repeat_with(|| {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            noise.to_le_bytes()[0]
        })
        .take(width * height)
        .collect();
        let page = b"q 595 0 0 842 0 0 cm /Scan Do Q\n";
        let scan = format!(
            "<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8/Length {}>>",
            picture.len()
        );
        let objects: [(&str, &[u8]); 5] = [
            ("<</Type/Catalog/Pages 2 0 R>>", b""),
            ("<</Type/Pages/Kids[3 0 R]/Count 1>>", b""),
            (
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</Scan 5 0 R>>>>>>",
                b"",
            ),
            (&format!("<</Length {}>>", page.len()), page),
            (&scan, &picture),
        ];
        let file = bare_pdf(b"\xe2\xe3\xcf\xd3", &objects);
        let at = file.windows(16).position(|bytes| bytes == &picture[..16]).expect("the picture is in it");
        Self { file, picture: at }
    }

    /// The document of this number: its first pixels tell it from the others.
    pub fn number(&self, number: u64) -> Bytes {
        let mut file = self.file.clone();
        file[self.picture..self.picture + 8].copy_from_slice(&number.to_le_bytes());
        file.into()
    }
}

/// What the OCR service reads on its page: about as much as a page of an order holds.
pub fn text() -> String {
    let line = "Настоящая справка выдана в том, что указанное лицо в течение последних месяцев доходов не получало, на \
                учёте в качестве индивидуального предпринимателя не состоит и иных источников дохода не имеет.\n";
    format!("{TITLE}\n\nДата выдачи: {DATE}\nФ.И.О.: {PERSON}\n\n{}\nРуководитель отдела  ____________", line.repeat(8))
}

/// What the model answers.
pub fn answer(call: &Call) -> Value {
    match call.call_type {
        CallType::DocTypeCheck => {
            json!({"single_doc_type": true, "doc_type": {"value": TITLE, "quote": TITLE, "page": 1}})
        }
        CallType::Extractor => json!({
            "fio": {"value": PERSON, "quote": PERSON, "page": 1},
            "doc_date": {"value": "2026-11-10", "quote": DATE, "page": 1, "kind": "issue"},
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_their_size_and_differ() {
        let scans = Scans::new();
        let (one, other) = (scans.number(1), scans.number(2));
        assert!(one.len().abs_diff(BYTES) < 1_000, "{} bytes", one.len());
        assert_eq!(one.len(), other.len());
        assert_ne!(one, other);
        assert!(one.starts_with(b"%PDF-") && one.ends_with(b"%%EOF\n"));
    }

    #[test]
    fn each_object_stands_where_the_table_says() {
        let file = Scans::new().number(7);
        let text = String::from_utf8_lossy(&file);
        let at = text.rfind("startxref\n").expect("a table") + "startxref\n".len();
        let table: usize = text[at..].lines().next().and_then(|line| line.parse().ok()).expect("its place");
        assert!(file[table..].starts_with(b"xref\n"));
        let lines =
            String::from_utf8_lossy(&file[table..]).lines().skip(3).take(5).map(str::to_owned).collect::<Vec<_>>();
        for (number, line) in lines.iter().enumerate() {
            let place: usize = line[..10].parse().expect("ten digits");
            assert!(file[place..].starts_with(format!("{} 0 obj", number + 1).as_bytes()), "{line}");
        }
    }
}
