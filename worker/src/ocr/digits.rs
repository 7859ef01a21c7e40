//! Numbers read a second time.
//!
//! The Russian and Kazakh models of Tesseract confuse digits that look alike in small print, 3 and 5
//! above all, with high confidence; the English model does not. A date or an identity number that
//! is wrong in one digit decides a verdict, so every word with several digits is cut out and
//! the cuttings are read as one small image by the English model: a tenth of the page's time.

use shared::domain::{Rect, Word, dates};

use crate::imaging::Gray;

/// A word with fewer digits is no date and no number that matters.
const ENOUGH_DIGITS: usize = 2;

/// So many words are read again at most.
const MOST: usize = 150;

/// Where two models disagree about a digit, neither is to be trusted more than this.
const DISPUTED: f32 = 0.7;

/// Cuttings of a page as one image.
#[derive(Debug)]
pub(super) struct Cuttings {
    /// To be read as one block of lines.
    pub image: Gray,
    /// For each cutting the index of its word and its place in the image: left, top, right, bottom.
    places: Vec<(usize, [usize; 4])>,
}

/// Cuts the words with several digits out of a page; none if there are none.
pub(super) fn cut(page: &Gray, words: &[Word]) -> Option<Cuttings> {
    const WIDTH: usize = 1_400;
    const MARGIN: usize = 24;
    let mut cuttings = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let digits = word.text.chars().filter(char::is_ascii_digit).count();
        let letters = word.text.chars().filter(|letter| letter.is_alphabetic()).count();
        if digits >= ENOUGH_DIGITS && letters <= digits && cuttings.len() < MOST {
            cuttings.extend(cutting(page, word.rect).map(|cutting| (index, cutting)));
        }
    }
    if cuttings.is_empty() {
        return None;
    }
    // Lines of cuttings, filled from left to right.
    let (mut left, mut top, mut line_height) = (MARGIN, MARGIN, 0);
    let mut places = Vec::with_capacity(cuttings.len());
    for (index, cutting) in &cuttings {
        if left > MARGIN && left + cutting.width + MARGIN > WIDTH {
            (left, top, line_height) = (MARGIN, top + line_height + MARGIN, 0);
        }
        places.push((*index, [left, top, left + cutting.width, top + cutting.height]));
        left += cutting.width + MARGIN * 2;
        line_height = line_height.max(cutting.height);
    }
    let width = places.iter().map(|(_, [_, _, right, _])| right + MARGIN).max().unwrap_or(WIDTH);
    let mut image = Gray::filled(width, top + line_height + MARGIN, 250);
    for ((_, cutting), (_, [left, top, _, _])) in cuttings.iter().zip(&places) {
        for (y, row) in cutting.rows().enumerate() {
            let start = (top + y) * width + left;
            image.pixels[start..start + cutting.width].copy_from_slice(row);
        }
    }
    Some(Cuttings { image, places })
}

fn cutting(page: &Gray, rect: Rect) -> Option<Gray> {
    let across = |thousandths: u16| usize::from(thousandths) * page.width / 1000;
    let down = |thousandths: u16| usize::from(thousandths) * page.height / 1000;
    let (width, height) = (across(rect.width) + 1, down(rect.height) + 1);
    // Wider than a line of text or higher than a headline is no word.
    if !(8..=200).contains(&height) || width > 1_200 {
        return None;
    }
    let (margin_x, margin_y) = (height / 6 + 1, height / 4 + 1);
    let (x, y) = (across(rect.x).saturating_sub(margin_x), down(rect.y).saturating_sub(margin_y));
    let cutting = page.crop(x, y, width + 2 * margin_x, height + 2 * margin_y);
    (cutting.width > 8 && cutting.height > 8).then_some(cutting)
}

impl Cuttings {
    /// Puts the digits of the second reading into the words of the first, where both see equally
    /// many. `second` are the words of the cuttings' image.
    pub(super) fn correct(&self, words: &mut [Word], second: &[Word]) {
        for (index, [left, top, right, bottom]) in &self.places {
            let Some(word) = words.get_mut(*index) else {
                continue;
            };
            let inside = |seen: &&Word| {
                let x = (f32::from(seen.rect.x) + f32::from(seen.rect.width) / 2.0) * self.image.width as f32 / 1000.0;
                let y =
                    (f32::from(seen.rect.y) + f32::from(seen.rect.height) / 2.0) * self.image.height as f32 / 1000.0;
                x >= *left as f32 && x <= *right as f32 && y >= *top as f32 && y <= *bottom as f32
            };
            let mut digits = Vec::new();
            let mut confidence = 1.0f32;
            for seen in second.iter().filter(inside) {
                digits.extend(seen.text.chars().filter(char::is_ascii_digit));
                confidence = confidence.min(seen.confidence);
            }
            apply(word, &digits, confidence);
        }
    }
}

fn apply(word: &mut Word, digits: &[char], confidence: f32) {
    /// Below this the second reading is a guess.
    const SURE: f32 = 0.5;
    /// A guess is good enough where the first reading is no date at all.
    const GUESS: f32 = 0.3;
    let count = word.text.chars().filter(char::is_ascii_digit).count();
    if digits.len() != count || confidence < GUESS {
        return;
    }
    let mut next = digits.iter();
    let corrected: String = word
        .text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { next.next().copied().unwrap_or(letter) } else { letter })
        .collect();
    if corrected == word.text {
        return;
    }
    // Of two readings of a date («27.08.2026», «97.08.2026») the impossible one is the wrong one.
    let better = match (is_date(&word.text), is_date(&corrected)) {
        (true, false) => false,
        (false, true) => true,
        _ => confidence >= SURE,
    };
    if better {
        word.text = corrected;
        word.confidence = word.confidence.min(confidence);
    }
    word.confidence = word.confidence.min(DISPUTED);
}

fn is_date(text: &str) -> bool {
    dates::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, x: u16) -> Word {
        Word { text: text.to_owned(), rect: Rect { x, y: 100, width: 100, height: 20 }, confidence: 0.95, line: 0 }
    }

    #[test]
    fn digits_are_corrected_where_both_readings_see_equally_many() {
        let page = Gray::filled(1000, 1000, 200);
        let mut words = vec![word("№", 50), word("«05»", 100), word("05.02.2025ж.", 300), word("1234", 500)];
        let cuttings = cut(&page, &words).expect("there are numbers");
        let seen: Vec<Word> = cuttings
            .places
            .iter()
            .zip(["\"03\"", "03.02.2023x.", "123"])
            .map(|((_, [left, top, right, bottom]), text)| {
                let (width, height) = (cuttings.image.width, cuttings.image.height);
                let rect = Rect {
                    x: (left * 1000 / width) as u16,
                    y: (top * 1000 / height) as u16,
                    width: ((right - left) * 1000 / width) as u16,
                    height: ((bottom - top) * 1000 / height) as u16,
                };
                Word { text: text.to_owned(), rect, confidence: 0.9, line: 0 }
            })
            .collect();
        cuttings.correct(&mut words, &seen);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(texts, ["№", "«03»", "03.02.2023ж.", "1234"]);
        assert!(words[1].confidence <= DISPUTED && words[3].confidence > 0.9);
    }

    #[test]
    fn of_two_readings_of_a_date_the_possible_one_is_kept() {
        for (first, second, confidence, kept) in [
            ("27.08.2026", "97082026", 0.9, "27.08.2026"),
            ("97.08.2026", "27082026", 0.4, "27.08.2026"),
            ("27.08.2026", "21082026", 0.9, "21.08.2026"),
            ("27.08.2026", "21082026", 0.4, "27.08.2026"),
        ] {
            let mut read = word(first, 100);
            apply(&mut read, &second.chars().collect::<Vec<_>>(), confidence);
            assert_eq!(read.text, kept, "{first} {second}");
            assert!(read.confidence <= DISPUTED);
        }
    }

    #[test]
    fn a_page_without_numbers_has_no_cuttings() {
        assert!(cut(&Gray::filled(100, 100, 255), &[word("приказ", 100), word("7", 300)]).is_none());
    }
}
