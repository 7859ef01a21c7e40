//! A page's print: 64 bits that say where its ink is, alike for two scans of one page. Two papers of one template
//! have nearly the same print; only what was read tells those apart (`domain::reuse`).

use super::Gray;

/// Cells of a side, of which the lowest frequencies count.
const CELLS: usize = 32;

/// Frequencies of a side.
const LOW: usize = 8;

/// A page is looked at with at most so many pixels on its longer side.
const SIDE: usize = 800;

/// So much darker than what is around it is ink.
const DARKER: i32 = 24;

/// Pixels around a pixel, on each side, that it is held against.
const AROUND: usize = 12;

/// Of the ink, so many thousandths at each edge are left outside: shadows and specks must not move the frame.
const OUTLIERS: u64 = 10;

/// The print of an upright page; none where there is too little ink to tell.
#[must_use]
pub fn print(page: &Gray) -> Option<u64> {
    let page = page.clone().at_most(SIDE);
    let ink = ink(&page);
    let frame = frame(&ink, page.width, page.height)?;
    let cells = cells(&ink, page.width, frame);
    Some(bits(&low_frequencies(&cells)))
}

/// Whether each pixel is much darker than its surroundings, whatever the light.
fn ink(page: &Gray) -> Vec<bool> {
    let (width, height) = (page.width, page.height);
    // Sums of all pixels above and to the left.
    let mut sums = vec![0_u32; (width + 1) * (height + 1)];
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += u32::from(page.pixels[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    let mut ink = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom) = (y.saturating_sub(AROUND), (y + AROUND + 1).min(height));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(AROUND), (x + AROUND + 1).min(width));
            let at = |y: usize, x: usize| sums[y * (width + 1) + x];
            let sum = at(bottom, right) + at(top, left) - at(top, right) - at(bottom, left);
            let mean = sum / ((bottom - top) * (right - left)) as u32;
            ink.push(i32::from(page.pixels[y * width + x]) + DARKER < mean as i32);
        }
    }
    ink
}

/// Left, right, top and bottom of what is printed: margins and borders of a scan differ each time.
fn frame(ink: &[bool], width: usize, height: usize) -> Option<[usize; 4]> {
    let mut columns = vec![0_u64; width];
    let mut rows = vec![0_u64; height];
    for (at, _) in ink.iter().enumerate().filter(|(_, ink)| **ink) {
        columns[at % width] += 1;
        rows[at / width] += 1;
    }
    let total: u64 = rows.iter().sum();
    let least = total * OUTLIERS / 1000;
    let edges = |counts: &[u64]| {
        let first = edge(counts.iter(), least)?;
        let last = counts.len() - edge(counts.iter().rev(), least)?;
        (last >= first + CELLS).then_some((first, last))
    };
    let ((left, right), (top, bottom)) = (edges(&columns)?, edges(&rows)?);
    Some([left, right, top, bottom])
}

/// Where more than so much ink has been seen.
fn edge<'a>(mut counts: impl Iterator<Item = &'a u64>, least: u64) -> Option<usize> {
    let mut seen = 0;
    counts.position(|count| {
        seen += count;
        seen > least
    })
}

/// How much of each cell of the frame is ink.
fn cells(ink: &[bool], width: usize, [left, right, top, bottom]: [usize; 4]) -> Vec<f32> {
    let mut cells = Vec::with_capacity(CELLS * CELLS);
    for row in 0..CELLS {
        let ys = top + row * (bottom - top) / CELLS..top + (row + 1) * (bottom - top) / CELLS;
        for column in 0..CELLS {
            let xs = left + column * (right - left) / CELLS..left + (column + 1) * (right - left) / CELLS;
            let count: usize =
                ys.clone().map(|y| ink[y * width..][xs.clone()].iter().filter(|ink| **ink).count()).sum();
            cells.push(count as f32 / (xs.len() * ys.len()).max(1) as f32);
        }
    }
    cells
}

/// The lowest frequencies of the cosine transform, without the mean.
fn low_frequencies(cells: &[f32]) -> Vec<f32> {
    let wave = |frequency: usize, at: usize| {
        (std::f32::consts::PI * frequency as f32 * (at as f32 + 0.5) / CELLS as f32).cos()
    };
    let mut low = Vec::with_capacity(LOW * LOW);
    for v in 0..LOW {
        for u in 0..LOW {
            let sum: f32 =
                cells.iter().enumerate().map(|(at, cell)| cell * wave(v, at / CELLS) * wave(u, at % CELLS)).sum();
            low.push(if (u, v) == (0, 0) { 0.0 } else { sum });
        }
    }
    low
}

/// A bit for each frequency: whether it is above the middle one.
fn bits(low: &[f32]) -> u64 {
    let mut sorted = low.to_vec();
    sorted.sort_by(f32::total_cmp);
    let middle = sorted[sorted.len() / 2];
    low.iter().enumerate().fold(0, |bits, (at, value)| bits | (u64::from(*value > middle) << at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with lines of words at these places, and nothing of them elsewhere.
    fn page(lines: &[(usize, usize)], left: usize, light: u8) -> Gray {
        let mut page = Gray::filled(620, 877, light);
        for (line, words) in lines {
            for word in 0..*words {
                for y in 0..9 {
                    let from = (60 + line * 24 + y) * page.width + left + word * 62;
                    page.pixels[from..from + 48].fill(light / 8);
                }
            }
        }
        page
    }

    const LETTER: &[(usize, usize)] =
        &[(0, 4), (1, 3), (4, 7), (5, 7), (6, 2), (9, 7), (10, 7), (11, 7), (12, 5), (20, 3), (26, 4)];

    fn distance(one: &Gray, other: &Gray) -> u32 {
        (print(one).expect("ink") ^ print(other).expect("ink")).count_ones()
    }

    #[test]
    fn margins_and_light_change_little_and_another_layout_changes_much() {
        let one = page(LETTER, 80, 250);
        assert_eq!(distance(&one, &one), 0);
        assert!(distance(&one, &page(LETTER, 110, 250)) <= 4, "margins");
        assert!(distance(&one, &page(LETTER, 80, 150)) <= 4, "light");
        let other: Vec<_> = LETTER.iter().map(|(line, words)| (33 - line, 8 - words)).collect();
        assert!(distance(&one, &page(&other, 80, 250)) > 16);
    }

    #[test]
    fn a_page_without_ink_has_no_print() {
        assert_eq!(print(&Gray::filled(600, 800, 250)), None);
        assert_eq!(print(&Gray::filled(0, 0, 0)), None);
        assert_eq!(print(&page(&[(3, 1)], 80, 250)), None, "a single word");
    }
}
