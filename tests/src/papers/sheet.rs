//! Pages of PDF drawn by hand: what a person sees and what the text layer says may be made to differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

/// How letters are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Black.
    Black,
    /// White, as the paper is.
    White,
    /// Not at all: rendering mode 3.
    None,
}

/// Where [`Sheet::text`] begins, its size and the height of its lines, in points.
const TEXT: (i32, i32, i32, i32) = (50, 780, 11, 20);

#[derive(Clone, Debug)]
enum Mark {
    /// A text from this point on, in this size; the layer may say something else.
    Line { text: String, said: Option<String>, at: (i32, i32), size: i32, ink: Ink },
    /// A white rectangle: left, lower edge, width, height.
    Cover([i32; 4]),
}

/// A page of A4, 595 by 842 points from its lower left corner.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    marks: Vec<Mark>,
    crop: Option<[i32; 4]>,
}

impl Sheet {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lines from the top of the page down.
    pub fn text(mut self, text: &str) -> Self {
        let (x, top, size, height) = TEXT;
        for (number, line) in (0..).zip(text.lines()) {
            self = self.line(line, (x, top - height * number), size, Ink::Black);
        }
        self
    }

    /// A line in a place and size of its own.
    pub fn line(self, text: &str, at: (i32, i32), size: i32, ink: Ink) -> Self {
        self.mark(Mark::Line { text: text.to_owned(), said: None, at, size, ink })
    }

    /// Lines from the top down that show one text and say another of as many words.
    pub fn double(mut self, shown: &str, said: &str) -> Self {
        let (x, top, size, height) = TEXT;
        for (number, (shown, said)) in (0..).zip(shown.lines().zip(said.lines())) {
            let mut letters = 0;
            for (shown, said) in shown.split(' ').zip(said.split(' ')) {
                // A letter of the typewriter is six tenths of its size wide.
                let at = (x + letters * size * 6 / 10, top - height * number);
                letters += i32::try_from(shown.chars().count()).expect("a short word") + 1;
                let said = Some(said.to_owned());
                self = self.mark(Mark::Line { text: shown.to_owned(), said, at, size, ink: Ink::Black });
            }
        }
        self
    }

    /// White over one line of [`Sheet::text`], from the top, and over it another text.
    pub fn pasted_over(self, line: i32, text: &str) -> Self {
        let (x, top, size, height) = TEXT;
        let y = top - height * line;
        self.mark(Mark::Cover([x, y - 4, 500, 16])).line(text, (x, y), size, Ink::Black)
    }

    /// Shows only a part of the page: left, lower, right and upper edge.
    pub fn cropped(self, crop: [i32; 4]) -> Self {
        Self { crop: Some(crop), ..self }
    }

    fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    fn content(&self, letters: &Letters) -> String {
        let mut content = String::new();
        for mark in &self.marks {
            match mark {
                Mark::Cover([x, y, width, height]) => writeln!(content, "1 g {x} {y} {width} {height} re f 0 g"),
                Mark::Line { text, said, at: (x, y), size, ink } => {
                    let codes = letters.codes(text);
                    let ink = match ink {
                        Ink::Black => "0 g 0 Tr",
                        Ink::White => "1 g 0 Tr",
                        Ink::None => "0 g 3 Tr",
                    };
                    let drawn = format!("BT {ink} /F {size} Tf {x} {y} Td <{codes}> Tj ET");
                    match said {
                        None => writeln!(content, "{drawn}"),
                        Some(said) => {
                            let said: String = said.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
                            writeln!(content, "/Span <</ActualText <FEFF{said}>>> BDC {drawn} EMC")
                        }
                    }
                }
            }
            .expect("it grows");
        }
        content
    }
}

/// A document of these pages.
pub(super) fn document(sheets: &[Sheet]) -> Document {
    let mut document = Document::with_version("1.5");
    let letters = Letters::of(sheets);
    let font = letters.font(&mut document);
    let tree = document.new_object_id();
    let kids: Vec<Object> = sheets
        .iter()
        .map(|sheet| {
            let content = document.add_object(Stream::new(Dictionary::new(), sheet.content(&letters).into_bytes()));
            let mut page = dictionary! {
                "Type" => "Page",
                "Parent" => tree,
                "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
                "Resources" => dictionary! { "Font" => dictionary! { "F" => font } },
                "Contents" => content,
            };
            if let Some(crop) = sheet.crop {
                page.set("CropBox", crop.map(Object::from).to_vec());
            }
            document.add_object(page).into()
        })
        .collect();
    let count = i64::try_from(kids.len()).expect("few pages");
    document.objects.insert(tree, dictionary! { "Type" => "Pages", "Count" => count, "Kids" => kids }.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
    document.trailer.set("Root", catalog);
    let id = Object::String(b"0123456789abcdef".to_vec(), lopdf::StringFormat::Literal);
    document.trailer.set("ID", vec![id.clone(), id]);
    document
}

/// A code of one byte for each letter, since the standard fonts know no Cyrillic.
struct Letters(BTreeMap<char, u8>);

impl Letters {
    fn of(sheets: &[Sheet]) -> Self {
        let all: std::collections::BTreeSet<char> = sheets
            .iter()
            .flat_map(|sheet| &sheet.marks)
            .filter_map(|mark| match mark {
                Mark::Line { text, .. } => Some(text.chars()),
                Mark::Cover(_) => None,
            })
            .flatten()
            .collect();
        assert!(all.len() <= 220, "a font has one byte for each letter");
        Self(all.into_iter().zip(33..).collect())
    }

    fn codes(&self, text: &str) -> String {
        text.chars().map(|letter| format!("{:02X}", self.0[&letter])).collect()
    }

    fn font(&self, document: &mut Document) -> ObjectId {
        let mut map = String::from("/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n");
        map.push_str("1 begincodespacerange <00> <FF> endcodespacerange\n");
        for (letter, code) in &self.0 {
            writeln!(map, "1 beginbfchar <{code:02X}> <{:04X}> endbfchar", u32::from(*letter)).expect("it grows");
        }
        map.push_str("endcmap end end");
        let map = document.add_object(Stream::new(Dictionary::new(), map.into_bytes()));
        let names = self.0.keys().map(|letter| Object::Name(format!("uni{:04X}", u32::from(*letter)).into_bytes()));
        let differences: Vec<Object> = std::iter::once(33.into()).chain(names).collect();
        let count = i64::try_from(self.0.len()).expect("few letters");
        document.add_object(dictionary! {
            "Type" => "Font",
            "Subtype" => "Type1",
            "BaseFont" => "Courier",
            "FirstChar" => 33,
            "LastChar" => 32 + count,
            "Widths" => vec![Object::from(600); self.0.len()],
            "Encoding" => dictionary! { "Type" => "Encoding", "Differences" => differences },
            "ToUnicode" => map,
        })
    }
}
