//! Grain of sensors and of fax lines, which a threshold turns into specks that look like letters.

use super::gray::Gray;

/// How much neighbouring pixels of paper differ, on an evened page: 0 for a screenshot, 2 to 4 for a
/// clean scan, more for a photo in poor light.
#[must_use]
pub fn amount(page: &Gray) -> f32 {
    const PAPER: u8 = 190;
    let (mut sum, mut count) = (0u64, 0u64);
    for row in page.rows().step_by(7) {
        for pair in row.windows(2).filter(|pair| pair[0] > PAPER && pair[1] > PAPER) {
            sum += u64::from(pair[0].abs_diff(pair[1]));
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { sum as f32 / count as f32 }
}

/// Grain smoothed: each pixel the mean of the three by three around it, nearer ones counting more
/// (1 2 1, both ways).
#[must_use]
pub fn smooth(page: &Gray) -> Gray {
    let (width, height) = (page.width, page.height);
    if width < 3 || height < 3 {
        return page.clone();
    }
    let row = |y: usize| &page.pixels[y * width..(y + 1) * width];
    let mut pixels = Vec::with_capacity(page.pixels.len());
    let mut sums = vec![0u16; width];
    for y in 0..height {
        let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        for (sum, ((above, here), below)) in sums.iter_mut().zip(above.iter().zip(here).zip(below)) {
            *sum = u16::from(*above) + 2 * u16::from(*here) + u16::from(*below);
        }
        pixels.push(((sums[0] * 3 + sums[1]) / 16) as u8);
        pixels.extend(sums.windows(3).map(|near| ((near[0] + 2 * near[1] + near[2]) / 16) as u8));
        pixels.push(((sums[width - 1] * 3 + sums[width - 2]) / 16) as u8);
    }
    Gray { width, height, pixels }
}

/// Contrast raised: paper and its grain become white, print black.
#[must_use]
pub fn stretch(page: &Gray, black: u8, white: u8) -> Gray {
    let range = u32::from(white.saturating_sub(black)).max(1);
    let shades: Vec<u8> =
        (0..=255u32).map(|shade| (shade.saturating_sub(u32::from(black)) * 255 / range).min(255) as u8).collect();
    Gray { pixels: page.pixels.iter().map(|pixel| shades[usize::from(*pixel)]).collect(), ..*page }
}
