//! A page of a TIFF.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ::tiff::ColorType;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use image::DynamicImage;
use image::metadata::Orientation;

use super::ImagingError;
use super::decode::{MAX_BYTES, Pixels, pixels_of};
use crate::document::{DocumentError, check_pixels, tiff};

/// Decodes page `page` (from 0, previews not counted).
pub(super) fn decode(path: &Path, page: usize) -> Result<Pixels, ImagingError> {
    let mut file = BufReader::new(File::open(path)?);
    let pages = tiff::pages(&mut file).map_err(|error| match error {
        DocumentError::Service(error) => ImagingError::File(std::io::Error::other(error)),
        _ => ImagingError::Undecodable,
    })?;
    let page = pages.get(page).ok_or(ImagingError::Undecodable)?;
    check_pixels(page.width, page.height).map_err(|_| ImagingError::TooLarge)?;

    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_BYTES as usize;
    limits.intermediate_buffer_size = MAX_BYTES as usize;
    std::io::Seek::rewind(&mut file)?;
    let mut decoder = Decoder::new(file).map_err(undecodable)?.with_limits(limits);
    decoder.seek_to_image(page.directory).map_err(undecodable)?;
    let (width, height) = decoder.dimensions().map_err(undecodable)?;
    let colours = decoder.colortype().map_err(undecodable)?;
    let samples = match decoder.read_image().map_err(undecodable)? {
        DecodingResult::U8(samples) => samples,
        // The upper byte is all that print needs.
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        _ => return Err(ImagingError::Undecodable),
    };
    let mut image = image_of(&samples, width, height, colours).ok_or(ImagingError::Unsupported)?;
    image.apply_orientation(Orientation::from_exif(page.orientation).unwrap_or(Orientation::NoTransforms));
    Ok(pixels_of(image))
}

fn undecodable(error: ::tiff::TiffError) -> ImagingError {
    match error {
        ::tiff::TiffError::LimitsExceeded => ImagingError::TooLarge,
        ::tiff::TiffError::UnsupportedError(_) => ImagingError::Unsupported,
        ::tiff::TiffError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            // Decoders wrap their own errors in this kind.
            if error.get_ref().is_some() { ImagingError::Undecodable } else { ImagingError::File(error) }
        }
        _ => ImagingError::Undecodable,
    }
}

/// An image from samples of a byte each, or of less for grey.
fn image_of(samples: &[u8], width: u32, height: u32, colours: ColorType) -> Option<DynamicImage> {
    let gray = |pixels| image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8);
    let colour = |pixels| image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8);
    match colours {
        ColorType::Gray(bits @ (1 | 2 | 4)) => gray(unpack(samples, width as usize, bits)?),
        ColorType::Gray(8 | 16) => gray(samples.to_vec()),
        ColorType::GrayA(8 | 16) | ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 } => {
            gray(samples.as_chunks::<2>().0.iter().map(|[gray, _]| *gray).collect())
        }
        ColorType::RGB(8 | 16) => colour(samples.to_vec()),
        ColorType::RGBA(8 | 16) => {
            image::RgbaImage::from_raw(width, height, samples.to_vec()).map(DynamicImage::ImageRgba8)
        }
        ColorType::CMYK(8 | 16) => colour(
            samples
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| (u32::from(255 - ink) * u32::from(255 - k) / 255) as u8))
                .collect(),
        ),
        ColorType::YCbCr(8) => colour(samples.as_chunks::<3>().0.iter().flat_map(|sample| rgb_of(*sample)).collect()),
        _ => None,
    }
}

/// Samples of 1, 2 or 4 bits, rows filled up to whole bytes, spread to a byte each.
fn unpack(samples: &[u8], width: usize, bits: u8) -> Option<Vec<u8>> {
    let (bits, most) = (usize::from(bits), (1u32 << bits) - 1);
    let row = (width * bits).div_ceil(8);
    if row == 0 {
        return None;
    }
    let shade = |row: &[u8], x: usize| {
        let at = x * bits;
        let value = u32::from(row[at / 8]) >> (8 - bits - at % 8) & most;
        (value * 255 / most) as u8
    };
    Some(samples.chunks_exact(row).flat_map(|row| (0..width).map(move |x| shade(row, x))).collect())
}

/// As JPEG has it (JFIF 1.02).
fn rgb_of([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344 * cb - 0.714 * cr, y + 1.772 * cb].map(|value| value.clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_bytes_row_by_row() {
        assert_eq!(unpack(&[0b1010_0000, 0b0110_0000], 3, 1), Some(vec![255, 0, 255, 0, 255, 255]));
        assert_eq!(unpack(&[0x0F, 0xF0], 3, 4), Some(vec![0, 255, 255]));
    }
}
