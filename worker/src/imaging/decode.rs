//! From a page image to grey pixels and a small picture.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use shared::domain::ContentType;

use super::colour::to_gray;
use super::gray::Gray;
use super::picture::Picture;
use super::{ImagingError, tiff_page};
use crate::document::{MAX_SIDE, check_pixels};

/// A decoded page may take this many bytes: the pixel limit at three bytes a pixel, and a margin.
pub(super) const MAX_BYTES: u64 = 208 << 20;

/// A page image, made ready for both.
#[derive(Clone, Debug)]
pub struct Scan {
    /// For reading.
    pub gray: Gray,
    /// For people.
    pub picture: Picture,
}

/// The pixels of a page image; what is needed of them is made by who needs it.
#[derive(Clone, Debug)]
pub enum Pixels {
    /// Grey.
    Gray(Gray),
    /// Rows of three bytes a pixel.
    Rgb {
        /// Pixels in a row.
        width: usize,
        /// Rows.
        height: usize,
        /// `width × height × 3` values, red, green, blue.
        pixels: Vec<u8>,
    },
}

impl Pixels {
    /// For reading alone.
    #[must_use]
    pub fn gray(self) -> Gray {
        match self {
            Self::Gray(gray) => gray,
            Self::Rgb { width, height, pixels } => to_gray(&pixels, width, height),
        }
    }

    /// For reading and for people.
    #[must_use]
    pub fn scan(self) -> Scan {
        let picture = match &self {
            Self::Gray(gray) => Picture::of::<1>(&gray.pixels, gray.width, gray.height),
            Self::Rgb { width, height, pixels } => Picture::of::<3>(pixels, *width, *height),
        };
        Scan { gray: self.gray(), picture }
    }
}

/// Decodes page `page` (from 0) of an image file, the turn that its metadata ask for applied.
///
/// # Errors
///
/// [`ImagingError`].
pub fn decode(path: &Path, content_type: ContentType, page: usize) -> Result<Pixels, ImagingError> {
    if content_type == ContentType::Tiff {
        return tiff_page::decode(path, page);
    }
    let format = match content_type {
        ContentType::Jpeg => image::ImageFormat::Jpeg,
        ContentType::Png => image::ImageFormat::Png,
        ContentType::Tiff | ContentType::Pdf => return Err(ImagingError::Undecodable),
    };
    let mut reader = ImageReader::with_format(BufReader::new(File::open(path)?), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height).map_err(|_| ImagingError::TooLarge)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    decoded.apply_orientation(orientation);
    Ok(pixels_of(decoded))
}

/// Reads what `pdftoppm` writes: a binary PGM or PPM of a byte a sample, without comments.
///
/// # Errors
///
/// [`ImagingError::Undecodable`] if it is not a whole one.
pub fn decode_pnm(mut file: Vec<u8>) -> Result<Pixels, ImagingError> {
    let mut rest = &file[..];
    let mut next = || -> Option<&[u8]> {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let (word, after) = rest.split_at(end);
        rest = &after[1..];
        Some(word)
    };
    let (kind, width, height, most) = (next(), next(), next(), next());
    let number = |word: Option<&[u8]>| -> Option<u32> { std::str::from_utf8(word?).ok()?.parse().ok() };
    let (Some(kind), Some(width), Some(height), Some(255)) = (kind, number(width), number(height), number(most)) else {
        return Err(ImagingError::Undecodable);
    };
    check_pixels(width, height).map_err(|_| ImagingError::TooLarge)?;
    let (width, height) = (width as usize, height as usize);
    let colour = match kind {
        b"P5" if rest.len() == width * height => false,
        b"P6" if rest.len() == width * height * 3 => true,
        _ => return Err(ImagingError::Undecodable),
    };
    let header = file.len() - rest.len();
    file.drain(..header);
    Ok(if colour {
        Pixels::Rgb { width, height, pixels: file }
    } else {
        Pixels::Gray(Gray { width, height, pixels: file })
    })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    limits
}

fn undecodable(error: image::ImageError) -> ImagingError {
    match error {
        image::ImageError::Limits(_) => ImagingError::TooLarge,
        image::ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            ImagingError::File(error)
        }
        _ => ImagingError::Undecodable,
    }
}

/// The pixels of a decoded image; transparent parts are paper.
pub(super) fn pixels_of(decoded: DynamicImage) -> Pixels {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    match decoded {
        DynamicImage::ImageLuma8(gray) => Pixels::Gray(Gray { width, height, pixels: gray.into_raw() }),
        DynamicImage::ImageLuma16(_) => Pixels::Gray(Gray { width, height, pixels: decoded.into_luma8().into_raw() }),
        decoded => {
            let pixels = if decoded.color().has_alpha() { on_white(decoded) } else { decoded.into_rgb8().into_raw() };
            Pixels::Rgb { width, height, pixels }
        }
    }
}

fn on_white(decoded: DynamicImage) -> Vec<u8> {
    let pixels = decoded.into_rgba8().into_raw();
    let over =
        |value: u8, alpha: u8| ((u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255) as u8;
    pixels
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|&[red, green, blue, alpha]| [over(red, alpha), over(green, alpha), over(blue, alpha)])
        .collect()
}
