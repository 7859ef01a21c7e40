//! Reading a document: from a file to pages of text. One trait, an engine for each way to do it.

mod digits;
mod engine;
mod http;
mod http_answer;
mod image_pdf;
mod leftover;
mod local;
mod page_image;
mod poppler;
mod tesseract;
mod text_layer;
mod tsv;

pub use engine::{OcrEngine, OcrError, PageReading, Reading};
pub use http::HttpEngine;
pub use local::TesseractEngine;
