//! Is what was read good enough to decide on? Unreadable is a result, told apart from a service
//! that failed and from an empty document.

use super::letters::{is_cyrillic, is_letter, is_word_sign};
use super::page::{Page, PageSource};

/// How good the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextQuality {
    /// Good enough.
    Readable,
    /// Words too doubtful to use: DOCUMENT_UNREADABLE.
    Doubtful,
    /// Not one word on any page: OCR_EMPTY_PAGES.
    Empty,
}

/// A word counts as read from this confidence up; below it Tesseract is mostly wrong.
const SURE: f32 = 0.5;
/// Fewer sure words than this say nothing about a document.
const LEAST_WORDS: usize = 8;
/// Of the words at least this share must look like words of a language.
const LEAST_SHARE: f32 = 0.35;

/// Judges the reading of all pages together: one good page is enough, since the others may be blank
/// backs.
#[must_use]
pub fn assess<'a>(pages: impl IntoIterator<Item = &'a Page> + Clone) -> TextQuality {
    if pages
        .clone()
        .into_iter()
        .all(|page| page.text.split_whitespace().all(|word| !has_letter(word)) && page.words.is_empty())
    {
        return TextQuality::Empty;
    }
    if pages.into_iter().any(readable) { TextQuality::Readable } else { TextQuality::Doubtful }
}

fn readable(page: &Page) -> bool {
    let (mut good, mut letters) = (0usize, 0usize);
    let mut count = |text: &str, sure: bool| {
        if has_letter(text) || text.chars().any(|c| c.is_ascii_digit()) {
            letters += 1;
            good += usize::from(sure && looks_like_a_word(text));
        }
    };
    // A text layer says nothing about confidence: its words are as sure as they are sensible.
    if page.words.is_empty() || page.source == PageSource::TextLayer {
        page.text.split_whitespace().for_each(|word| count(word, true));
    } else {
        page.words.iter().for_each(|word| count(&word.text, word.confidence >= SURE));
    }
    #[expect(clippy::cast_precision_loss, reason = "a page has some thousand words at most")]
    let share = good as f32 / letters.max(1) as f32;
    good >= LEAST_WORDS && share >= LEAST_SHARE
}

fn has_letter(word: &str) -> bool {
    word.chars().any(is_letter)
}

/// Three letters or more of one alphabet, or a number of two digits or more: noise is made of single
/// signs and mixtures.
fn looks_like_a_word(text: &str) -> bool {
    let core = text.trim_matches(|c: char| !is_word_sign(c));
    let letters = core.chars().filter(|c| is_letter(*c)).count();
    let digits = core.chars().filter(char::is_ascii_digit).count();
    let signs = core.chars().count();
    let cyrillic = core.chars().filter(|c| is_cyrillic(*c)).count();
    let one_alphabet = cyrillic == letters || cyrillic == 0;
    (letters >= 3 && one_alphabet && letters * 10 >= signs * 8) || (digits >= 2 && digits * 2 >= signs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::{Rect, Word};

    fn page(text: &str, confidence: f32) -> Page {
        let rect = Rect { x: 0, y: 0, width: 1, height: 1 };
        let words =
            text.split_whitespace().map(|word| Word { text: word.to_owned(), rect, confidence, line: 0 }).collect();
        Page { number: 1, text: text.to_owned(), words, confidence: Some(confidence), source: PageSource::Tesseract }
    }

    const TEXT: &str = "Справка выдана Орловой Анне Петровне в том, что она состоит на учёте с 04.05.2026";

    #[test]
    fn sure_words_are_readable_and_doubtful_ones_are_not() {
        assert_eq!(assess(&[page(TEXT, 0.9)]), TextQuality::Readable);
        assert_eq!(assess(&[page(TEXT, 0.2)]), TextQuality::Doubtful);
    }

    #[test]
    fn noise_of_single_signs_is_doubtful_however_sure_the_engine_is() {
        let noise = "а | ~ 1 f г; Й| «| . ь - = 0 у ~~ п' | ‘ э_ l| Ф7 q п. _а ео — ‚ 6 |";
        assert_eq!(assess(&[page(noise, 0.9)]), TextQuality::Doubtful);
    }

    #[test]
    fn no_word_on_any_page_is_empty() {
        assert_eq!(
            assess(&[page("  \n ", 0.0), page("— . |", 0.0)].map(|mut p| {
                p.words.clear();
                p
            })),
            TextQuality::Empty
        );
        assert_eq!(assess(&[]), TextQuality::Empty);
    }

    #[test]
    fn one_good_page_among_blank_ones_is_enough() {
        assert_eq!(assess(&[page("", 0.0), page(TEXT, 0.9)]), TextQuality::Readable);
    }

    #[test]
    fn text_without_confidences_is_judged_by_its_words() {
        let mut page = page(TEXT, 0.0);
        page.words.clear();
        assert_eq!(assess(&[page]), TextQuality::Readable);
    }
}
