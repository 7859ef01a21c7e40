//! Pixels: from a page image to an upright, straight, evenly lit grey page that Tesseract reads
//! well. All of it is pure functions on buffers in memory-safe Rust; callers run them in
//! `spawn_blocking`.

pub mod colour;
pub mod decode;
pub mod grain;
pub mod gray;
pub(crate) mod ink;
pub mod light;
pub mod picture;
pub mod print;
pub mod rules;
pub mod skew;
pub mod surroundings;
mod tiff_page;
pub mod warp;

pub use decode::{Pixels, Scan, decode};
pub use gray::Gray;

/// Why a page image gives no pixels.
#[derive(Debug, thiserror::Error)]
pub enum ImagingError {
    /// Damaged, truncated, or of a form that nothing here decodes.
    #[error("a page image is damaged or of an unknown form")]
    Undecodable,
    /// Of a rare form that is decoded by Tesseract's library only, in the sandbox.
    #[error("a page image is of a form that is not decoded here")]
    Unsupported,
    /// More pixels or bytes than allowed.
    #[error("a page image is beyond the pixel limit")]
    TooLarge,
    /// The file could not be read from this machine's disk.
    #[error("a page image could not be read here: {0}")]
    File(#[from] std::io::Error),
}
