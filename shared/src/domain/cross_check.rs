//! Does a page's text layer say what a person sees? A layer is put there by whoever made the file: it may say
//! another name than the picture, or lie under one. So where a verdict would be `true` it is held against a reading
//! of the page's picture, word by word, in the place where each stands.

use super::letters::{distance, is_word_sign, key};
use super::page::{Page, Rect, Word};
use super::run::{Analysis, Quote};
use super::{dates, evidence, names};

/// Of the words of one at least this share must stand in the other, in their places: stamps and signatures are
/// seen and not written, and a reader passes over a word now and then.
const SHARE: f32 = 0.9;

/// A word that was read from a picture counts from this confidence up.
const SURE: f32 = 0.6;

/// Shorter words are mostly marks, numbers of lists and slips.
const LEAST_LETTERS: usize = 3;

/// Half edits that are forgiven for so many letters of a word.
const HALF_EDITS: (usize, usize) = (1, 2);

/// Thousandths of a page that a word may be off its place.
const OFF: u16 = 4;

/// Whether `picture`, what was read from the pictures of pages with a text layer, says the same as the `layer`: the
/// words as a whole, and the quotes of name, date and type for themselves. `false` is no proof of the contrary.
#[must_use]
pub fn agrees(layer: &[Page], picture: &[Page], applicant_fio: &str, analysis: &Analysis) -> bool {
    let pairs: Vec<(&Page, &Page)> =
        picture.iter().filter_map(|seen| Some((layer.iter().find(|page| page.number == seen.number)?, seen))).collect();
    let seen_at = |quote: &Quote| {
        let (written, seen) = pairs.iter().find(|(written, _)| written.number == quote.page)?;
        let words = evidence::words(written, &quote.text)?;
        Some((words, *seen))
    };
    // A page without a text layer was read from its picture in the first place.
    let elsewhere = |quote: &Quote| !pairs.iter().any(|(written, _)| written.number == quote.page);
    let is_seen = |quote: Option<&Quote>, says: &dyn Fn(&[Word], &Page) -> bool| {
        quote.is_none_or(|quote| elsewhere(quote) || seen_at(quote).is_some_and(|(words, seen)| says(words, seen)))
    };
    let Analysis { classification, extraction, .. } = analysis;
    pairs.iter().all(|(written, seen)| look_alike(written, seen))
        && is_seen(extraction.fio.as_ref().map(|found| &found.quote), &|words, seen| {
            names::compare(applicant_fio, &text_at(words, seen)).same
        })
        && is_seen(extraction.doc_date.as_ref().map(|found| &found.quote), &|words, seen| {
            let text = text_at(words, seen);
            let value = extraction.doc_date.as_ref().map(|found| found.value);
            dates::find(&text).iter().any(|found| Some(found.date) == value)
        })
        && is_seen(classification.doc_type.as_ref().map(|found| &found.quote), &|words, seen| {
            words.iter().filter(|word| counts(word)).all(|word| stands_in(word, &seen.words))
        })
}

/// Whether nearly all words of each stand in the other.
fn look_alike(written: &Page, seen: &Page) -> bool {
    let enough = |of: &[Word], in_words: &[Word]| {
        let (all, found) = of
            .iter()
            .filter(|word| counts(word))
            .fold((0u32, 0u32), |(all, found), word| (all + 1, found + u32::from(stands_in(word, in_words))));
        #[expect(clippy::cast_precision_loss, reason = "a page has some thousand words at most")]
        let share = found as f32 / all.max(1) as f32;
        all == 0 || share >= SHARE
    };
    enough(&written.words, &seen.words) && enough(&seen.words, &written.words)
}

fn counts(word: &Word) -> bool {
    word.confidence >= SURE && word.text.chars().filter(|sign| is_word_sign(*sign)).count() >= LEAST_LETTERS
}

/// Whether a word stands among others in its place; they may be parted otherwise.
fn stands_in(word: &Word, others: &[Word]) -> bool {
    let wanted: Vec<char> = key(&word.text);
    let there: Vec<char> = in_place(word, others).flat_map(|(_, other)| key::<Vec<char>>(&other.text)).collect();
    let most = wanted.len() * HALF_EDITS.0 / HALF_EDITS.1;
    let (shortest, longest) = (wanted.len().saturating_sub(1), wanted.len() + 1);
    there.len() >= shortest
        && (0..there.len()).any(|from| {
            (from + shortest..=(from + longest).min(there.len())).any(|to| {
                distance(&wanted, &there[from..to], most).is_some_and(|edits| edits == 0 || !numeric(&wanted))
            })
        })
}

/// Digits are never forgiven: a misread one is another date.
fn numeric(key: &[char]) -> bool {
    key.iter().any(char::is_ascii_digit)
}

/// What stands in the places of these words, in reading order.
fn text_at(words: &[Word], seen: &Page) -> String {
    let mut places: Vec<usize> = words.iter().flat_map(|word| in_place(word, &seen.words).map(|(at, _)| at)).collect();
    places.sort_unstable();
    places.dedup();
    places.iter().map(|at| seen.words[*at].text.as_str()).collect::<Vec<_>>().join(" ")
}

fn in_place<'a>(word: &Word, others: &'a [Word]) -> impl Iterator<Item = (usize, &'a Word)> {
    let place = word.rect;
    others.iter().enumerate().filter(move |(_, other)| overlap(place, other.rect))
}

/// Whether one stands where the other does: in its line, and beside or over it by more than a margin.
fn overlap(one: Rect, other: Rect) -> bool {
    let middle = |rect: Rect| rect.y + rect.height / 2;
    let in_line = |rect: Rect, y: u16| (rect.y.saturating_sub(OFF)..=rect.y + rect.height + OFF).contains(&y);
    let left = one.x.max(other.x);
    let right = (one.x + one.width).min(other.x + other.width);
    let narrow = one.width.min(other.width);
    let is_in_line = in_line(one, middle(other)) || in_line(other, middle(one));
    is_in_line && right > left && (right - left) * 4 >= narrow.min(OFF * 4)
}

#[cfg(test)]
mod tests;
