//! Rules and frames. Tesseract uses them to find tables, but takes some framed parts of a page for
//! pictures and does not read them; those are read again without their frames.

use super::gray::Gray;

/// On evened paper whatever is darker than this is ink.
const INK: u8 = 170;

/// Breaks of so many pixels do not end a rule: grain and the steps of a slanted one.
const GAP: usize = 2;

/// Paints rules over with paper, on an evened page.
#[must_use]
pub fn without_rules(page: &Gray) -> Gray {
    // No stroke of a letter is as long; a rule that slants by a degree is cut into runs of this length.
    let across = (page.width / 20).max(40);
    let down = (page.width / 28).max(30);
    let mut cleared = page.clone();
    for y in 0..page.height {
        let row = y * page.width;
        runs(
            page.width,
            across,
            |x| page.pixels[row + x] < INK,
            |start, end| {
                for near in y.saturating_sub(1)..(y + 2).min(page.height) {
                    cleared.pixels[near * page.width + start..near * page.width + end].fill(250);
                }
            },
        );
    }
    for x in 0..page.width {
        runs(
            page.height,
            down,
            |y| page.pixels[y * page.width + x] < INK,
            |start, end| {
                for y in start..end {
                    for near in x.saturating_sub(1)..(x + 2).min(page.width) {
                        cleared.pixels[y * page.width + near] = 250;
                    }
                }
            },
        );
    }
    cleared
}

/// Calls `found` with the start and end of each run of ink of at least `least`.
fn runs(length: usize, least: usize, ink: impl Fn(usize) -> bool, mut found: impl FnMut(usize, usize)) {
    let (mut start, mut end, mut filled) = (0, 0, 0);
    for place in 0..length {
        if !ink(place) {
            continue;
        }
        if place > end + GAP {
            if end - start >= least && filled * 10 >= (end - start) * 9 {
                found(start, end);
            }
            (start, filled) = (place, 0);
        }
        end = place + 1;
        filled += 1;
    }
    if end - start >= least && filled * 10 >= (end - start) * 9 {
        found(start, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_and_the_letters_in_it_stay() {
        let mut page = Gray::filled(400, 300, 250);
        for x in 50..350 {
            page.pixels[60 * 400 + x] = 20;
            page.pixels[200 * 400 + x] = 20;
        }
        for y in 60..200 {
            page.pixels[y * 400 + 50] = 20;
        }
        for y in 100..112 {
            for x in (80..200).filter(|x| x % 8 < 5) {
                page.pixels[y * 400 + x] = 20;
            }
        }
        let letters: u32 = 12 * (80..200).filter(|x| x % 8 < 5).count() as u32;
        let ink = without_rules(&page).pixels.iter().filter(|pixel| **pixel < INK).count() as u32;
        assert_eq!(ink, letters);
    }
}
