//! Headers of a JPEG.

use std::io::{Read, Seek, SeekFrom};

use super::DocumentError;
use super::headers::take;

/// A JPEG has a few dozen segments before its first scan; this many are a trap.
const MAX_SEGMENTS: u32 = 2_000;

/// Width and height in pixels as stored, before the turn that EXIF may ask for.
///
/// Also looks for the end-of-image marker after the first scan: without it the file was cut off in
/// transfer, and a decoder would fill what is missing with grey.
///
/// # Errors
///
/// [`DocumentError::Unreadable`] where there is no frame header, no scan or no end.
pub fn pixels(file: &mut (impl Read + Seek)) -> Result<(u32, u32), DocumentError> {
    const DAMAGED: DocumentError = DocumentError::Unreadable("its image header is damaged");
    file.seek(SeekFrom::Start(2))?;
    let mut size = None;
    for _ in 0..MAX_SEGMENTS {
        let [0xFF, mut marker] = take::<2>(file)? else {
            return Err(DAMAGED);
        };
        let mut fill = 0;
        while marker == 0xFF {
            // Fill bytes may stand before any marker (T.81, B.1.1.2).
            [marker] = take::<1>(file)?;
            fill += 1;
            if fill > 1024 {
                return Err(DAMAGED);
            }
        }
        // Markers without a segment (T.81, table B.1).
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            continue;
        }
        if marker == 0xD9 {
            return Err(DAMAGED);
        }
        let length = i64::from(u16::from_be_bytes(take::<2>(file)?));
        if length < 2 {
            return Err(DAMAGED);
        }
        match marker {
            // Every start of frame; C4, C8 and CC are something else.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if size.is_none() => {
                let [_, y1, y0, x1, x0]: [u8; 5] = take(file)?;
                size = Some((u32::from(u16::from_be_bytes([x1, x0])), u32::from(u16::from_be_bytes([y1, y0]))));
                file.seek_relative(length - 7)?;
            }
            0xDA => {
                let size = size.ok_or(DAMAGED)?;
                return if ends(file)? { Ok(size) } else { Err(DocumentError::Unreadable("it is truncated")) };
            }
            _ => file.seek_relative(length - 2)?,
        }
    }
    Err(DAMAGED)
}

/// Whether an end-of-image marker follows: inside a scan `FF` never stands before `D9`.
fn ends(file: &mut impl Read) -> Result<bool, DocumentError> {
    let mut buffer = [0; 64 << 10];
    let mut after_ff = false;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(false);
        }
        for &byte in &buffer[..read] {
            if after_ff && byte == 0xD9 {
                return Ok(true);
            }
            after_ff = byte == 0xFF;
        }
    }
}
