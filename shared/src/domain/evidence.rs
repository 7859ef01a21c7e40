//! Where a quote stands on a page: the words it is made of, their common box and mean confidence.

use super::letters::key;
use super::page::{Page, Word};
use super::run::Quote;

/// The quote with its place. Box and confidence are none where the page has no words (OCR over
/// HTTP), or where the words cannot be found among them.
#[must_use]
pub fn locate(pages: &[Page], page_number: u32, quote: &str) -> Quote {
    let text = quote.split_whitespace().collect::<Vec<_>>().join(" ");
    let unplaced = Quote { text, page: page_number, rect: None, confidence: None };
    let Some(page) = pages.iter().find(|page| page.number == page_number) else {
        return unplaced;
    };
    let Some(words) = words(page, quote) else {
        return unplaced;
    };
    let rect = words.iter().map(|word| word.rect).reduce(super::page::Rect::union);
    #[expect(clippy::cast_precision_loss, reason = "a quote has a few words")]
    let confidence = words.iter().map(|word| word.confidence).sum::<f32>() / words.len() as f32;
    Quote { rect, confidence: Some(confidence), ..unplaced }
}

/// The words of a page that a quote is made of; none where they cannot be found.
#[must_use]
pub fn words<'a>(page: &'a Page, quote: &str) -> Option<&'a [Word]> {
    let wanted: String = key(quote);
    if wanted.is_empty() {
        return None;
    }
    matching_words(page, &wanted).map(|words| &page.words[words])
}

/// The run of words whose letters are those of the quote, wherever words and marks are parted; the
/// quote may begin or end inside a word («(ИИН» and the like).
fn matching_words(page: &Page, wanted: &str) -> Option<std::ops::Range<usize>> {
    let mut letters = String::new();
    let mut starts = Vec::with_capacity(page.words.len());
    for word in &page.words {
        starts.push(letters.len());
        letters.push_str(&key::<String>(&word.text));
    }
    let mut inside = None;
    for (at, _) in letters.match_indices(wanted) {
        let first = starts.partition_point(|start| *start <= at).checked_sub(1)?;
        let last = starts.partition_point(|start| *start < at + wanted.len()).checked_sub(1)?;
        // Words without a letter or digit share the start of the next one: the last of them holds it.
        if starts[first] == at {
            return Some(first..last + 1);
        }
        inside.get_or_insert(first..last + 1);
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::{PageSource, Rect, Word};

    fn page(words: &[(&str, u16, f32)]) -> Page {
        let words: Vec<Word> = words
            .iter()
            .map(|(text, x, confidence)| Word {
                text: (*text).to_owned(),
                rect: Rect { x: *x, y: 10, width: 50, height: 12 },
                confidence: *confidence,
                line: 0,
            })
            .collect();
        Page { number: 1, text: String::new(), words, confidence: None, source: PageSource::Tesseract }
    }

    #[test]
    fn a_quote_gets_the_box_and_mean_confidence_of_its_words() {
        let page = page(&[("Выдана", 0, 0.9), ("Орловой", 60, 0.8), ("Анне,", 120, 0.6), ("что", 180, 0.9)]);
        let found = locate(&[page], 1, "Орловой\n Анне");
        assert_eq!(found.text, "Орловой Анне");
        assert_eq!(found.rect, Some(Rect { x: 60, y: 10, width: 110, height: 12 }));
        assert!(found.confidence.is_some_and(|c| (c - 0.7).abs() < 1e-6));
    }

    #[test]
    fn a_date_has_the_place_of_its_words() {
        let page =
            page(&[("Выдан:", 0, 0.9), ("«16»", 60, 0.8), ("ноября", 120, 0.6), ("2026", 180, 0.9), ("г.", 240, 0.9)]);
        assert_eq!(locate(&[page], 1, "«16» ноября 2026 г.").rect, Some(Rect { x: 60, y: 10, width: 230, height: 12 }));
    }

    #[test]
    fn a_quote_that_is_not_on_the_page_has_no_place() {
        let pages = [page(&[("Выдана", 0, 0.9)])];
        assert_eq!(locate(&pages, 1, "Орловой").rect, None);
        assert_eq!(locate(&pages, 2, "Выдана").rect, None);
        assert_eq!(locate(&[page(&[])], 1, "Выдана").confidence, None);
        assert_eq!(locate(&pages, 1, " – ").rect, None);
    }

    #[test]
    fn a_word_broken_over_two_lines_is_found_as_one() {
        let page = page(&[("договор", 0, 0.9), ("Сери-", 60, 0.5), ("ковичу", 0, 0.7)]);
        assert_eq!(locate(&[page], 1, "Сериковичу").rect, Some(Rect { x: 0, y: 10, width: 110, height: 12 }));
    }
}
