//! Turning, straightening and resizing.

use super::gray::Gray;
use super::skew::Slope;

/// A turn by quarters, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// As it is.
    #[default]
    None,
    /// 90° clockwise.
    Right,
    /// 180°.
    Half,
    /// 90° anticlockwise.
    Left,
}

/// Turns rows of `N` bytes a pixel.
#[must_use]
pub fn turn_pixels<const N: usize>(pixels: &[u8], width: usize, height: usize, turn: Turn) -> Vec<u8> {
    let source = pixels.as_chunks::<N>().0;
    let at = |x: usize, y: usize| source[y * width + x];
    match turn {
        Turn::None => pixels.to_vec(),
        Turn::Half => source.iter().rev().flatten().copied().collect(),
        Turn::Right => (0..width).flat_map(|x| (0..height).rev().flat_map(move |y| at(x, y))).collect(),
        Turn::Left => (0..width).rev().flat_map(|x| (0..height).flat_map(move |y| at(x, y))).collect(),
    }
}

/// Turns a grey page.
#[must_use]
pub fn turn(page: &Gray, turn: Turn) -> Gray {
    let pixels = turn_pixels::<1>(&page.pixels, page.width, page.height, turn);
    let (width, height) = match turn {
        Turn::None | Turn::Half => (page.width, page.height),
        Turn::Right | Turn::Left => (page.height, page.width),
    };
    Gray { width, height, pixels }
}

/// Where a point of the straightened page comes from: the page turned back about its centre, its
/// rows by what they fall.
fn origin(width: usize, height: usize, slope: Slope) -> impl Fn(f32, f32) -> (f32, f32) {
    let fall = slope.degrees.to_radians().tan();
    let change = slope.change.to_radians().tan() / (height as f32).max(1.0);
    let (middle_x, middle_y) = ((width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0);
    move |x, y| {
        let (dx, dy) = (x - middle_x, y - middle_y);
        (x - dy * fall, y + dx * (fall + change * dy))
    }
}

/// Straightens lines that run so. The page keeps its size; corners that come from outside
/// continue its edge.
#[must_use]
pub fn straighten(page: &Gray, slope: Slope) -> Gray {
    sample(page, page.width, page.height, origin(page.width, page.height, slope))
}

/// As [`straighten`], for rows of three bytes a pixel, by the nearest pixel: for people to look at.
#[must_use]
pub fn straighten_colour(pixels: &[u8], width: usize, height: usize, slope: Slope) -> Vec<u8> {
    let from = origin(width, height, slope);
    let source = pixels.as_chunks::<3>().0;
    let mut straight = Vec::with_capacity(pixels.len());
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = from(x as f32, y as f32);
            let fx = (fx.max(0.0) + 0.5) as usize;
            let fy = (fy.max(0.0) + 0.5) as usize;
            straight.extend_from_slice(&source[fy.min(height - 1) * width + fx.min(width - 1)]);
        }
    }
    straight
}

/// A page whose pixels lie between those of another, at the places that `from` names.
pub(super) fn sample(page: &Gray, width: usize, height: usize, from: impl Fn(f32, f32) -> (f32, f32)) -> Gray {
    if page.width == 0 || page.height == 0 {
        return Gray::filled(width, height, 255);
    }
    let (last_x, last_y) = (page.width - 1, page.height - 1);
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (fx, fy) = from(x as f32, y as f32);
            let (fx, fy) = (fx.clamp(0.0, last_x as f32), fy.clamp(0.0, last_y as f32));
            let (left, upper) = (fx as usize, fy as usize);
            let (right, lower) = ((left + 1).min(last_x), (upper + 1).min(last_y));
            let (part_x, part_y) = (fx - left as f32, fy - upper as f32);
            let at = |x: usize, y: usize| f32::from(page.pixels[y * page.width + x]);
            let top = at(left, upper) + (at(right, upper) - at(left, upper)) * part_x;
            let bottom = at(left, lower) + (at(right, lower) - at(left, lower)) * part_x;
            pixels.push((top + (bottom - top) * part_y + 0.5) as u8);
        }
    }
    Gray { width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered() -> Gray {
        Gray { width: 3, height: 2, pixels: vec![1, 2, 3, 4, 5, 6] }
    }

    #[test]
    fn a_quarter_to_the_right_brings_the_lower_left_corner_up() {
        let turned = turn(&numbered(), Turn::Right);
        assert_eq!((turned.width, turned.height), (2, 3));
        assert_eq!(turned.pixels, [4, 1, 5, 2, 6, 3]);
    }

    #[test]
    fn turns_undo_each_other() {
        for (there, back) in [(Turn::Right, Turn::Left), (Turn::Half, Turn::Half), (Turn::None, Turn::None)] {
            assert_eq!(turn(&turn(&numbered(), there), back), numbered());
        }
    }

    #[test]
    fn straightening_by_nothing_changes_nothing() {
        assert_eq!(straighten(&numbered(), Slope::default()), numbered());
    }
}
