//! Light: making uneven paper even, and a threshold that follows it.

use super::gray::Gray;

/// Means of the square around each pixel, `radius` to each side.
pub(super) fn local_means(page: &Gray, radius: usize) -> Vec<u8> {
    let (width, height) = (page.width, page.height);
    let mut means = vec![0u8; page.pixels.len()];
    // Sums of each column over the rows of the window, then a running sum along the row.
    let mut columns = vec![0u32; width];
    let row = |y: usize| &page.pixels[y * width..(y + 1) * width];
    for y in 0..height.min(radius) {
        columns.iter_mut().zip(row(y)).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
    }
    for y in 0..height {
        if y + radius < height {
            columns.iter_mut().zip(row(y + radius)).for_each(|(sum, pixel)| *sum += u32::from(*pixel));
        }
        if y > radius {
            columns.iter_mut().zip(row(y - radius - 1)).for_each(|(sum, pixel)| *sum -= u32::from(*pixel));
        }
        let rows = (y + radius).min(height - 1) - y.saturating_sub(radius) + 1;
        let mut sum: u32 = columns.iter().take(radius).sum();
        for x in 0..width {
            sum += columns.get(x + radius).copied().unwrap_or(0);
            if x > radius {
                sum -= columns[x - radius - 1];
            }
            let across = (x + radius).min(width - 1) - x.saturating_sub(radius) + 1;
            means[y * width + x] = (sum / (rows * across) as u32) as u8;
        }
    }
    means
}

/// Paper made white all over: each pixel in proportion to the paper around it. Shadows, uneven
/// light and yellow paper go, print stays.
#[must_use]
pub fn even(page: &Gray) -> Gray {
    /// Side of the squares in which the paper's shade is measured, small against a shadow and
    /// large against a letter.
    const SQUARE: usize = 32;
    let (across, down) = (page.width.div_ceil(SQUARE), page.height.div_ceil(SQUARE));
    if across == 0 || down == 0 {
        return page.clone();
    }
    let mut paper = Vec::with_capacity(across * down);
    for square_y in 0..down {
        for square_x in 0..across {
            let square = page.crop(square_x * SQUARE, square_y * SQUARE, SQUARE, SQUARE);
            paper.push(shade_at(&square.pixels, 80));
        }
    }
    let paper = Gray { width: across, height: down, pixels: spread(&paper, across, down) };
    let paper = super::warp::sample(&paper, page.width, page.height, |x, y| {
        ((x + 0.5) / SQUARE as f32 - 0.5, (y + 0.5) / SQUARE as f32 - 0.5)
    });
    let pixels = page
        .pixels
        .iter()
        .zip(&paper.pixels)
        .map(|(&pixel, &paper)| (u32::from(pixel) * 250 / u32::from(paper.max(24))).min(255) as u8)
        .collect();
    Gray { pixels, ..*page }
}

/// The shade that `percent` of the pixels do not exceed.
fn shade_at(pixels: &[u8], percent: usize) -> u8 {
    let mut counts = [0usize; 256];
    pixels.iter().for_each(|pixel| counts[usize::from(*pixel)] += 1);
    let wanted = pixels.len() * percent / 100;
    let mut seen = 0;
    for (shade, count) in counts.iter().enumerate() {
        seen += count;
        if seen > wanted {
            return shade as u8;
        }
    }
    255
}

/// The shades of paper, with squares full of ink taking the shade of their neighbours: the
/// brightest within reach, then the mean, so that it changes smoothly.
fn spread(paper: &[u8], across: usize, down: usize) -> Vec<u8> {
    let around = |source: &[u8], fold: &dyn Fn(&mut dyn Iterator<Item = u8>) -> u8| -> Vec<u8> {
        let mut result = Vec::with_capacity(source.len());
        for y in 0..down {
            for x in 0..across {
                let ys = y.saturating_sub(1)..(y + 2).min(down);
                let mut near =
                    ys.flat_map(|y| (x.saturating_sub(1)..(x + 2).min(across)).map(move |x| source[y * across + x]));
                result.push(fold(&mut near));
            }
        }
        result
    };
    let brightest = around(paper, &|near| near.max().unwrap_or(255));
    around(&brightest, &|near| {
        let (mut sum, mut count) = (0u32, 0u32);
        for shade in near {
            sum += u32::from(shade);
            count += 1;
        }
        (sum / count.max(1)) as u8
    })
}

/// Black and white by Sauvola's threshold (J. Sauvola, M. Pietikäinen, "Adaptive document image
/// binarization", 2000): mean × (1 + k (deviation / 128 − 1)) of the square around each pixel.
#[must_use]
pub fn sauvola(page: &Gray, radius: usize, k: f32) -> Gray {
    let (width, height) = (page.width, page.height);
    let mut sums = vec![0u64; width];
    let mut squares = vec![0u64; width];
    let mut pixels = vec![255u8; page.pixels.len()];
    let row = |y: usize| &page.pixels[y * width..(y + 1) * width];
    let change = |y: usize, sums: &mut [u64], squares: &mut [u64], sign: bool| {
        for ((sum, square), &pixel) in sums.iter_mut().zip(squares.iter_mut()).zip(row(y)) {
            let value = u64::from(pixel);
            if sign {
                *sum += value;
                *square += value * value;
            } else {
                *sum -= value;
                *square -= value * value;
            }
        }
    };
    for y in 0..height.min(radius) {
        change(y, &mut sums, &mut squares, true);
    }
    for y in 0..height {
        if y + radius < height {
            change(y + radius, &mut sums, &mut squares, true);
        }
        if y > radius {
            change(y - radius - 1, &mut sums, &mut squares, false);
        }
        let rows = (y + radius).min(height - 1) - y.saturating_sub(radius) + 1;
        let mut sum: u64 = sums.iter().take(radius).sum();
        let mut square: u64 = squares.iter().take(radius).sum();
        for x in 0..width {
            if x + radius < width {
                sum += sums[x + radius];
                square += squares[x + radius];
            }
            if x > radius {
                sum -= sums[x - radius - 1];
                square -= squares[x - radius - 1];
            }
            let across = (x + radius).min(width - 1) - x.saturating_sub(radius) + 1;
            let count = (rows * across) as f32;
            let mean = sum as f32 / count;
            let deviation = (square as f32 / count - mean * mean).max(0.0).sqrt();
            let threshold = mean * (1.0 + k * (deviation / 128.0 - 1.0));
            if f32::from(page.pixels[y * width + x]) <= threshold {
                pixels[y * width + x] = 0;
            }
        }
    }
    Gray { width, height, pixels }
}
