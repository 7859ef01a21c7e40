//! What was read from a document: pages of text, and words with their places where the reading
//! engine gives them.

/// A rectangle on the upright page in thousandths of its width and height, `[x, y, width, height]`
/// on the wire (contract, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Rect {
    /// The smallest rectangle that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// One word as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Its letters, without white space.
    pub text: String,
    /// Where it stands on the upright page.
    pub rect: Rect,
    /// How sure the engine is, 0 to 1.
    pub confidence: f32,
    /// Line of the page the word stands in, from 0, in reading order.
    pub line: u32,
}

/// Where a page's text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSource {
    /// The text layer of a PDF.
    TextLayer,
    /// Tesseract.
    Tesseract,
    /// OCR over HTTP: no places, no confidences.
    Http,
}

impl PageSource {
    /// The word kept in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TextLayer => "text_layer",
            Self::Tesseract => "tesseract",
            Self::Http => "http",
        }
    }
}

/// One page as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// The text, lines parted by `\n`, in reading order.
    pub text: String,
    /// The words with their places, in the same order; empty where the engine gives none.
    pub words: Vec<Word>,
    /// Mean confidence of the words, 0 to 1; none where the engine gives none.
    pub confidence: Option<f32>,
    /// Where the text came from.
    pub source: PageSource,
}
