//! Which way lines of text run: how much they fall, how that changes down the page (as on a photo
//! taken at an angle), and whether the page lies on its side.

use super::gray::Gray;
use super::ink::Ink;

/// Skew is looked for up to this many degrees to either side.
pub const MAX_SKEW: f32 = 15.0;

/// From the top of a page to its bottom the fall of lines changes by this many degrees at most.
const MAX_CHANGE: f32 = 8.0;

/// With fewer points of ink a page says nothing about its lines.
const ENOUGH_INK: usize = 300;

/// How lines of text fall to the right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slope {
    /// Degrees in the middle of the page.
    pub degrees: f32,
    /// Degrees more at its bottom than at its top.
    pub change: f32,
}

impl Slope {
    /// Less than this costs nothing in reading, but straightening blurs.
    #[must_use]
    pub fn is_straight(self) -> bool {
        self.degrees.abs() < 0.3 && self.change.abs() < 0.8
    }

    /// The same lines seen upside down.
    #[must_use]
    pub fn upside_down(self) -> Self {
        Self { degrees: self.degrees, change: -self.change }
    }
}

/// How the lines of a page run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lines {
    /// How much more the page looks like lines when turned by a quarter: over 1 it lies on its
    /// side, near 1 it cannot be told; 0 where there is no ink.
    pub sideways: f32,
    /// Its lines as it is.
    pub upright: Slope,
    /// Its lines after a quarter turn to the right.
    pub turned: Slope,
    /// Where most ink is, from 0 at the top to 1: as it is, and after a quarter turn to the right.
    pub densest: (f32, f32),
}

/// Looks at a page.
#[must_use]
pub fn lines(page: &Gray) -> Lines {
    let ink = Ink::of(page);
    if ink.points.len() < ENOUGH_INK {
        return Lines { densest: (0.5, 0.5), ..Lines::default() };
    }
    let turned_ink = ink.turned_right();
    let (upright, turned) = (best_slope(&ink), best_slope(&turned_ink));
    Lines {
        sideways: turned.score / upright.score.max(f32::MIN_POSITIVE),
        upright: upright.slope,
        turned: turned.slope,
        densest: (densest(&ink), densest(&turned_ink)),
    }
}

#[derive(Clone, Copy, Default)]
struct Scored {
    slope: Slope,
    score: f32,
}

/// The slope at which rows are most clearly told from the gaps between them.
fn best_slope(ink: &Ink) -> Scored {
    let mut histogram = Vec::new();
    let mut best = Scored::default();
    let mut consider = |degrees: f32, change: f32, best: &mut Scored| {
        let slope = Slope { degrees, change };
        let score = score(ink, slope, &mut histogram);
        if score > best.score {
            *best = Scored { slope, score };
        }
    };
    for step in -30i16..=30 {
        consider(f32::from(step) * MAX_SKEW / 30.0, 0.0, &mut best);
    }
    let straight = best;
    for step in -8i16..=8 {
        for near in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            consider(straight.slope.degrees + near, f32::from(step) * MAX_CHANGE / 8.0, &mut best);
        }
    }
    // A change down the page has to explain clearly more than none.
    if best.score < straight.score * 1.1 {
        best = straight;
    }
    for width in [0.25, 0.125, 0.0625] {
        let Slope { degrees, change } = best.slope;
        for (more, change_more) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -2.0), (0.0, 2.0)] {
            if change != 0.0 || change_more == 0.0 {
                consider(degrees + more * width, change + change_more * width, &mut best);
            }
        }
    }
    best
}

/// Sum of squared steps from row to row, when rows fall so.
fn score(ink: &Ink, slope: Slope, histogram: &mut Vec<u32>) -> f32 {
    let (middle_x, middle_y) = (ink.width / 2.0, ink.height / 2.0);
    let fall = slope.degrees.to_radians().tan();
    let change = slope.change.to_radians().tan() / ink.height.max(1.0);
    // Skewed rows begin above the page and end below it.
    let margin = ink.width;
    histogram.clear();
    histogram.resize((ink.height + 2.0 * margin) as usize + 2, 0);
    for &(x, y) in &ink.points {
        let across = x - middle_x;
        // From y = row + across × (fall + change × (row − middle)).
        let row = (y - across * (fall - change * middle_y)) / (1.0 + across * change).max(0.2);
        if let Some(count) = histogram.get_mut((row + margin).max(0.0) as usize) {
            *count += 1;
        }
    }
    histogram.windows(2).map(|pair| (pair[0] as f32 - pair[1] as f32).powi(2)).sum()
}

/// The middle of the fifth of the page's height that holds most ink.
fn densest(ink: &Ink) -> f32 {
    const PARTS: usize = 20;
    let mut parts = [0u32; PARTS];
    for (_, y) in &ink.points {
        parts[((y / ink.height.max(1.0) * PARTS as f32) as usize).min(PARTS - 1)] += 1;
    }
    let window = PARTS / 5;
    let start = (0..=PARTS - window).max_by_key(|start| parts[*start..start + window].iter().sum::<u32>()).unwrap_or(0);
    (start as f32 + window as f32 / 2.0) / PARTS as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::warp::{Turn, straighten, turn};

    /// A page of words: bars of uneven length in lines, of letters that nearly touch.
    fn text_page() -> Gray {
        let mut page = Gray::filled(850, 1100, 230);
        for line in 0..28 {
            let mut x = 80;
            let mut word = line * 7 + 3;
            while x < 740 {
                let length = 12 + (word * 37) % 50;
                for y in 0..9 {
                    for dx in (0..length).filter(|dx| dx % 6 < 4) {
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
            let slope = Slope { degrees: -degrees, change: 0.0 };
            let found = lines(&straighten(&text_page(), slope));
            assert!((found.upright.degrees - degrees).abs() < 0.3, "{degrees} gave {found:?}");
            assert!(found.sideways < 0.8, "{degrees} gave {found:?}");
        }
    }

    #[test]
    fn lines_that_fall_differently_at_top_and_bottom_are_found() {
        let slope = Slope { degrees: -1.0, change: -4.0 };
        let found = lines(&straighten(&text_page(), slope)).upright;
        assert!((found.degrees - 1.0).abs() < 0.5 && (found.change - 4.0).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn a_page_on_its_side_is_told() {
        for quarter in [Turn::Left, Turn::Right] {
            let found = lines(&turn(&text_page(), quarter));
            assert!(found.sideways > 1.5, "{found:?}");
        }
    }

    #[test]
    fn an_empty_page_says_nothing() {
        for page in [Gray::filled(600, 800, 255), Gray::filled(1, 1, 0), Gray::filled(0, 0, 0)] {
            let found = lines(&page);
            assert_eq!((found.sideways, found.upright, found.turned), (0.0, Slope::default(), Slope::default()));
        }
    }
}
