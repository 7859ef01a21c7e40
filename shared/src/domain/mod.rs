//! The pure domain: runs, errors, document types and their validity, names, dates, and the
//! decision itself. Nothing here does I/O, reads a clock or draws a random number, so everything
//! that decides a verdict can be tested without services.

pub mod audit_seal;
pub mod content_type;
pub mod cross_check;
pub mod dates;
pub mod doc_types;
mod doc_wordings;
pub mod error_code;
pub mod evidence;
pub mod file_name;
pub mod grounding;
pub mod instructions;
pub mod judge;
pub mod letters;
pub mod names;
pub mod page;
pub mod rules;
pub mod run;
pub mod settle;
pub mod terms;
pub mod text_quality;

pub use content_type::ContentType;
pub use error_code::ErrorCode;
pub use page::{Page, PageSource, Rect, Word};
pub use run::{
    Analysis, Checks, Classification, DateKind, Evidence, Extraction, Found, Priority, Quote, Stage, Status,
};
