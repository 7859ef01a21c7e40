//! Headers of a PNG.

use std::io::{Read, Seek};

use super::DocumentError;
use super::headers::take_at;

/// Width and height in pixels.
///
/// # Errors
///
/// [`DocumentError::Unreadable`] where the first chunk is not a whole image header.
pub fn pixels(file: &mut (impl Read + Seek)) -> Result<(u32, u32), DocumentError> {
    // Signature (8), length (4), "IHDR", width, height (PNG, 5.2 and 11.2.1).
    let header: [u8; 24] = take_at(file, 0)?;
    if &header[12..16] != b"IHDR" {
        return Err(DocumentError::Unreadable("its image header is damaged"));
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    Ok((number(16), number(20)))
}
