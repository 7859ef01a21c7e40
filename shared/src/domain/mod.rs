//! The pure domain: runs, errors, document types and their validity, names, dates, and the
//! decision itself. Nothing here does I/O, reads a clock or draws a random number, so everything
//! that decides a verdict can be tested without services.

pub mod content_type;
pub mod doc_types;
pub mod error_code;
pub mod page;
pub mod run;

pub use content_type::ContentType;
pub use error_code::ErrorCode;
pub use page::{Page, PageSource, Rect, Word};
pub use run::{Analysis, Checks, Classification, Evidence, Extraction, Found, Priority, Quote, Stage, Status};
