//! Which way lines of text run: how much they fall, and whether the page lies on its side.

use super::gray::Gray;

/// Skew is looked for up to this many degrees to either side.
pub const MAX_SKEW: f32 = 15.0;

/// Long side of the small page that is looked at.
const LOOK_SIDE: usize = 1_000;

/// Below this many ink points a page says nothing about its lines.
const ENOUGH_INK: usize = 300;

/// How the lines of a page run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lines {
    /// Degrees by which lines fall to the right, after the quarter turn if the page is sideways.
    pub skew: f32,
    /// How much more the page looks like lines when turned by a quarter: over 1 it lies on its side.
    pub sideways: f32,
}

/// Looks at a page.
#[must_use]
pub fn lines(page: &Gray) -> Lines {
    let small = page.shrink((page.long_side() / LOOK_SIDE).max(1));
    let ink = ink(&small);
    if ink.len() < ENOUGH_INK {
        return Lines { skew: 0.0, sideways: 0.0 };
    }
    let upright = best_angle(&ink, small.height);
    let turned: Vec<(f32, f32)> = ink.iter().map(|&(x, y)| (small.height as f32 - 1.0 - y, x)).collect();
    let across = best_angle(&turned, small.width);
    let sideways = across.score / upright.score.max(f32::MIN_POSITIVE);
    Lines { skew: if sideways > 1.0 { across.degrees } else { upright.degrees }, sideways }
}

struct Angle {
    degrees: f32,
    score: f32,
}

/// The angle at which rows are most clearly told from the gaps between them.
fn best_angle(ink: &[(f32, f32)], height: usize) -> Angle {
    let mut histogram = Vec::new();
    let mut best = Angle { degrees: 0.0, score: 0.0 };
    let mut consider = |degrees: f32, best: &mut Angle| {
        let score = score(ink, height, degrees, &mut histogram);
        if score > best.score {
            *best = Angle { degrees, score };
        }
    };
    for step in -30i16..=30 {
        consider(f32::from(step) * MAX_SKEW / 30.0, &mut best);
    }
    for width in [0.25, 0.125, 0.0625] {
        let middle = best.degrees;
        consider(middle - width, &mut best);
        consider(middle + width, &mut best);
    }
    best
}

/// Sum of squared steps from row to row, when rows fall by `degrees`.
fn score(ink: &[(f32, f32)], height: usize, degrees: f32, histogram: &mut Vec<u32>) -> f32 {
    let slope = degrees.to_radians().tan();
    // Skewed rows begin above the page and end below it.
    let margin = height as f32 * 0.5 + 600.0;
    histogram.clear();
    histogram.resize(height * 2 + 1_300, 0);
    for &(x, y) in ink {
        let row = (y - x * slope + margin) as usize;
        if let Some(count) = histogram.get_mut(row) {
            *count += 1;
        }
    }
    histogram.windows(2).map(|pair| (pair[0] as f32 - pair[1] as f32).powi(2)).sum()
}

/// Points darker than what is around them, without rules and the dark edges of a photo.
fn ink(page: &Gray) -> Vec<(f32, f32)> {
    const AROUND: usize = 12;
    let means = super::light::local_means(page, AROUND);
    let dark: Vec<bool> = page
        .pixels
        .iter()
        .zip(&means)
        .map(|(&pixel, &mean)| u32::from(pixel) * 100 < u32::from(mean) * 85 && mean > 40)
        .collect();
    let longest = LOOK_SIDE / 16;
    let mut kept = dark.clone();
    let mut clear_runs = |length: usize, at: &dyn Fn(usize) -> usize| {
        let mut start = 0;
        for place in 0..=length {
            if place == length || !dark[at(place)] {
                if place - start > longest {
                    (start..place).for_each(|inside| kept[at(inside)] = false);
                }
                start = place + 1;
            }
        }
    };
    for y in 0..page.height {
        clear_runs(page.width, &|x| y * page.width + x);
    }
    for x in 0..page.width {
        clear_runs(page.height, &|y| y * page.width + x);
    }
    let width = page.width.max(1);
    kept.iter()
        .enumerate()
        .filter(|(_, dark)| **dark)
        .map(|(place, _)| ((place % width) as f32, (place / width) as f32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::warp::{Turn, straighten, turn};

    /// A page of words: bars of uneven length in lines.
    fn text_page() -> Gray {
        let mut page = Gray::filled(850, 1100, 230);
        for line in 0..28 {
            let mut x = 80;
            let mut word = line * 7 + 3;
            while x < 740 {
                let length = 12 + (word * 37) % 50;
                for y in 0..9 {
                    for dx in (0..length).filter(|dx| dx % 4 != 3) {
                        page.pixels[(90 + line * 32 + y) * 850 + x + dx] = 30;
                    }
                }
                x += length + 9;
                word += 1;
            }
        }
        page
    }

    #[test]
    fn the_skew_of_a_page_is_found_up_to_fifteen_degrees() {
        for degrees in [-14.0, -8.0, -1.0, 0.0, 2.5, 8.0, 14.0f32] {
            let found = lines(&straighten(&text_page(), degrees));
            assert!((found.skew + degrees).abs() < 0.3, "{degrees} gave {found:?}");
            assert!(found.sideways < 1.0, "{degrees} gave {found:?}");
        }
    }

    #[test]
    fn a_page_on_its_side_is_told() {
        for quarter in [Turn::Left, Turn::Right] {
            let found = lines(&turn(&text_page(), quarter));
            assert!(found.sideways > 1.5, "{found:?}");
        }
    }

    #[test]
    fn an_empty_page_has_no_skew() {
        assert_eq!(lines(&Gray::filled(600, 800, 255)), Lines { skew: 0.0, sideways: 0.0 });
        assert_eq!(lines(&Gray::filled(1, 1, 0)), Lines { skew: 0.0, sideways: 0.0 });
    }
}
