//! A grey page.

/// Grey pixels, row by row, 0 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gray {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width × height` values.
    pub pixels: Vec<u8>,
}

impl Gray {
    /// A page of one shade.
    #[must_use]
    pub fn filled(width: usize, height: usize, shade: u8) -> Self {
        Self { width, height, pixels: vec![shade; width * height] }
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.width.max(1))
    }

    /// The longer side.
    #[must_use]
    pub fn long_side(&self) -> usize {
        self.width.max(self.height)
    }

    /// The page as a PGM file, which Tesseract reads without a codec.
    #[must_use]
    pub fn to_pgm(&self) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.pixels);
        file
    }

    /// A part of it; what lies outside is left out.
    #[must_use]
    pub fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let (x, y) = (x.min(self.width), y.min(self.height));
        let (width, height) = (width.min(self.width - x), height.min(self.height - y));
        let pixels = self.rows().skip(y).take(height).flat_map(|row| &row[x..x + width]).copied().collect();
        Self { width, height, pixels }
    }

    /// Made smaller by a whole factor, each pixel the mean of a square.
    #[must_use]
    pub fn shrink(&self, factor: usize) -> Self {
        if factor <= 1 {
            return self.clone();
        }
        let (width, height) = (self.width / factor, self.height / factor);
        let mut pixels = Vec::with_capacity(width * height);
        let mut sums = vec![0u32; width];
        let squared = (factor * factor) as u32;
        for y in 0..height {
            sums.fill(0);
            for row in self.rows().skip(y * factor).take(factor) {
                for (sum, square) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                    *sum += square.iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
                }
            }
            pixels.extend(sums.iter().map(|sum| (sum / squared) as u8));
        }
        Self { width, height, pixels }
    }

    /// Made smaller, if needed, so that its longer side has at most so many pixels.
    #[must_use]
    pub fn at_most(self, side: usize) -> Self {
        let long = self.long_side();
        if long <= side || side == 0 {
            return self;
        }
        let (width, height) = (self.width * side / long, self.height * side / long);
        let smaller = self.shrink(long / side);
        let scale = (smaller.width as f32 / width as f32, smaller.height as f32 / height as f32);
        super::warp::sample(&smaller, width.max(1), height.max(1), |x, y| {
            ((x + 0.5) * scale.0 - 0.5, (y + 0.5) * scale.1 - 0.5)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_page_is_made_smaller_and_keeps_its_shape() {
        let page = Gray::filled(900, 600, 77).at_most(400);
        assert_eq!((page.width, page.height), (400, 266));
        assert!(page.pixels.len() == 400 * 266 && page.pixels.iter().all(|pixel| *pixel == 77));
        assert_eq!(Gray::filled(30, 20, 1).at_most(30), Gray::filled(30, 20, 1));
        assert_eq!(Gray::filled(5_000, 1, 9).at_most(100).width, 100);
    }

    #[test]
    fn a_crop_beyond_the_page_is_what_there_is() {
        assert_eq!(Gray::filled(10, 10, 0).crop(8, 9, 5, 5), Gray::filled(2, 1, 0));
        assert_eq!(Gray::filled(10, 10, 0).crop(20, 20, 5, 5).pixels.len(), 0);
    }
}
