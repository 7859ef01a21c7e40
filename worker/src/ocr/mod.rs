//! Reading a document: from a file to pages of text. One trait, an engine for each way to do it.

mod engine;

pub use engine::{OcrEngine, OcrError, PageReading, Reading};
