//! What lies around the paper on a photo or under the lid of a scanner: Tesseract takes it for a picture
//! and lines of text near it for a part of that.

use super::gray::Gray;

/// The desk is looked at in squares of so many pixels.
const SQUARE: usize = 4;

/// Paints everything dark that is connected with the edge of an evened page over with paper.
#[must_use]
pub fn without_surroundings(page: &Gray) -> Gray {
    /// On evened paper a square with this mean is not paper.
    const DARK: u8 = 205;
    let small = page.shrink(SQUARE);
    let (width, height) = (small.width, small.height);
    let mut outside = vec![false; small.pixels.len()];
    let mut border: Vec<usize> = (0..width).flat_map(|x| [x, (height.max(1) - 1) * width + x]).collect();
    border.extend((0..height).flat_map(|y| [y * width, y * width + width - 1]));
    let mut open: Vec<usize> = Vec::new();
    let mut visit = |place: usize, open: &mut Vec<usize>| {
        if let Some(seen) = outside.get_mut(place).filter(|seen| !**seen && small.pixels[place] < DARK) {
            *seen = true;
            open.push(place);
        }
    };
    border.into_iter().for_each(|place| visit(place, &mut open));
    while let Some(place) = open.pop() {
        let x = place % width;
        if x > 0 {
            visit(place - 1, &mut open);
        }
        if x + 1 < width {
            visit(place + 1, &mut open);
        }
        visit(place.wrapping_sub(width), &mut open);
        visit(place + width, &mut open);
    }
    let mut clean = page.clone();
    for (place, _) in outside.iter().enumerate().filter(|(_, outside)| **outside) {
        // A little more than the square, for the soft edge of the paper.
        let (x, y) = (place % width * SQUARE, place / width * SQUARE);
        let (left, right) = (x.saturating_sub(SQUARE), (x + 2 * SQUARE).min(page.width));
        for y in y.saturating_sub(SQUARE)..(y + 2 * SQUARE).min(page.height) {
            clean.pixels[y * page.width + left..y * page.width + right].fill(250);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desk_goes_and_the_text_stays() {
        let mut page = Gray::filled(400, 400, 90);
        for y in 40..360 {
            page.pixels[y * 400 + 40..y * 400 + 360].fill(250);
        }
        for y in 200..212 {
            page.pixels[y * 400 + 100..y * 400 + 160].fill(20);
        }
        let clean = without_surroundings(&page);
        assert_eq!(clean.pixels.iter().filter(|pixel| **pixel < 200).count(), 12 * 60);
        assert_eq!(clean.pixels[205 * 400 + 120], 20);
    }

    #[test]
    fn a_page_without_surroundings_stays_as_it_is() {
        let page = Gray::filled(64, 64, 250);
        assert_eq!(without_surroundings(&page), page);
        assert_eq!(without_surroundings(&Gray::filled(2, 2, 0)).width, 2);
    }
}
