//! The upright page for people to look at.

use image::codecs::jpeg::JpegEncoder;

use super::ImagingError;
use super::skew::Slope;
use super::warp::{Turn, straighten_colour, turn_pixels};

/// Longer side of the picture in pixels, at most (contract, section 2).
pub const PICTURE_SIDE: usize = 1_600;

/// A small colour picture of a page: rows of three bytes a pixel.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width × height × 3` values, red, green, blue.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// A picture of at most [`PICTURE_SIDE`] from rows of `N` bytes a pixel, 1 or 3, by the mean of squares
    /// and then the nearest pixel.
    #[must_use]
    pub fn of<const N: usize>(pixels: &[u8], width: usize, height: usize) -> Self {
        let long = width.max(height).max(1);
        let scale = (PICTURE_SIDE as f64 / long as f64).min(1.0);
        let (wide, high) = (
            ((width as f64 * scale) as usize).max(1).min(width),
            ((height as f64 * scale) as usize).max(1).min(height),
        );
        let source = pixels.as_chunks::<N>().0;
        let mut small = Vec::with_capacity(wide * high * 3);
        for y in 0..high {
            let ys = y * height / high..((y + 1) * height).div_ceil(high);
            for x in 0..wide {
                let xs = x * width / wide..((x + 1) * width).div_ceil(wide);
                let mut sums = [0u32; N];
                for row in ys.clone() {
                    for pixel in &source[row * width + xs.start..row * width + xs.end] {
                        for (sum, value) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(*value);
                        }
                    }
                }
                let count = (ys.len() * xs.len()) as u32;
                small.extend((0..3).map(|channel| (sums[channel.min(N - 1)] / count) as u8));
            }
        }
        Self { width: wide, height: high, pixels: small }
    }

    /// Turned, then straightened, as the page was for reading, and written as a JPEG.
    ///
    /// # Errors
    ///
    /// [`ImagingError::Undecodable`] for a picture without pixels.
    pub fn upright_jpeg(&self, turn: Turn, slope: Slope) -> Result<Vec<u8>, ImagingError> {
        let mut pixels = turn_pixels::<3>(&self.pixels, self.width, self.height, turn);
        let (width, height) = match turn {
            Turn::None | Turn::Half => (self.width, self.height),
            Turn::Right | Turn::Left => (self.height, self.width),
        };
        if !slope.is_straight() {
            pixels = straighten_colour(&pixels, width, height, slope);
        }
        let mut file = Vec::new();
        let (width, height) = (width as u32, height as u32);
        JpegEncoder::new_with_quality(&mut file, 80)
            .encode(&pixels, width, height, image::ExtendedColorType::Rgb8)
            .map_err(|_| ImagingError::Undecodable)?;
        Ok(file)
    }
}
