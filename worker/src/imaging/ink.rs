//! The letters of a page as points: what is dark against its surroundings and of a letter's or a
//! word's size. Rules, frames, paper edges, stamps' rings and grain are left out.

use super::gray::Gray;
use super::light::local_means;

/// Long side of the small page that is looked at.
pub(crate) const LOOK_SIDE: usize = 1_100;

/// So many points are enough to know how lines run.
const ENOUGH_POINTS: usize = 40_000;

/// Points of a small page.
pub(crate) struct Ink {
    /// Pixels in a row of the small page.
    pub width: f32,
    /// Its rows.
    pub height: f32,
    /// Places of ink.
    pub points: Vec<(f32, f32)>,
}

impl Ink {
    /// The ink of a page.
    pub(crate) fn of(page: &Gray) -> Self {
        let small = page.shrink(page.long_side().div_ceil(LOOK_SIDE).max(1));
        let mut dark = dark(&small);
        let mut points = Vec::new();
        let mut component = Vec::new();
        for start in 0..dark.len() {
            if !dark[start] {
                continue;
            }
            fill(&mut dark, small.width, start, &mut component);
            if is_text(&component, small.width) {
                points
                    .extend(component.iter().map(|place| ((place % small.width) as f32, (place / small.width) as f32)));
            }
        }
        let step = points.len().div_ceil(ENOUGH_POINTS).max(1);
        let points = points.into_iter().step_by(step).collect();
        Self { width: small.width as f32, height: small.height as f32, points }
    }

    /// The same ink after a quarter turn to the right.
    pub(crate) fn turned_right(&self) -> Self {
        let points = self.points.iter().map(|&(x, y)| (self.height - 1.0 - y, x)).collect();
        Self { width: self.height, height: self.width, points }
    }
}

/// Pixels clearly darker than the mean around them.
fn dark(page: &Gray) -> Vec<bool> {
    const AROUND: usize = 15;
    let means = local_means(page, AROUND);
    page.pixels.iter().zip(&means).map(|(&pixel, &mean)| u32::from(pixel) * 100 < u32::from(mean) * 82).collect()
}

/// Takes one connected part (eight neighbours) out of `dark`.
fn fill(dark: &mut [bool], width: usize, start: usize, component: &mut Vec<usize>) {
    component.clear();
    component.push(start);
    dark[start] = false;
    let mut next = 0;
    while let Some(&place) = component.get(next) {
        next += 1;
        let (x, row) = (place % width, place - place % width);
        for near_row in [row.checked_sub(width), Some(row), row.checked_add(width)].into_iter().flatten() {
            for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                if let Some(near) = dark.get_mut(near_row + near_x).filter(|near| **near) {
                    *near = false;
                    component.push(near_row + near_x);
                }
            }
        }
    }
}

/// Whether a connected part may be a letter or a word.
fn is_text(component: &[usize], width: usize) -> bool {
    let (mut left, mut right) = (usize::MAX, 0);
    for place in component {
        left = left.min(place % width);
        right = right.max(place % width);
    }
    let (top, bottom) = (component[0] / width, component.iter().max().map_or(0, |last| last / width));
    let (wide, high) = (right - left + 1, bottom.saturating_sub(top) + 1);
    let (short, long) = (wide.min(high), wide.max(high));
    // Grain is smaller, rules are thinner, frames and tables are larger than a word.
    component.len() >= 5 && (3..=40).contains(&short) && long <= 160 && component.len() * 10 >= wide * high
}
