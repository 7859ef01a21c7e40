//! The tables of words that Tesseract and `pdftotext` write: level, page, paragraph or block,
//! block or paragraph, line, word, left, top, width, height, confidence, text, parted by tabs.

use shared::domain::letters::is_invisible;
use shared::domain::{Rect, Word};

/// A page holds at most this many words; a denser one is not a document.
const MAX_WORDS: usize = 20_000;

/// A word of a document is at most this long; what is longer is not a word.
const MAX_LETTERS: usize = 200;

/// One line of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row<'a> {
    /// 1 a page, 5 a word.
    pub level: u32,
    pub page: u32,
    /// Block, paragraph and line, as numbers that differ between lines.
    pub line: (u32, u32, u32),
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
    /// 0 to 100; negative where there is no word.
    pub confidence: f32,
    pub text: &'a str,
}

/// The rows of a table; its heading and lines that are none are passed over.
pub(super) fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    table.lines().filter_map(|line| {
        let mut cells = line.splitn(12, '\t');
        let mut whole = || cells.next()?.trim().parse::<u32>().ok();
        let (level, page, block, paragraph, line, _word) = (whole()?, whole()?, whole()?, whole()?, whole()?, whole()?);
        let mut number = || cells.next()?.trim().parse::<f32>().ok().filter(|number| number.is_finite());
        let (left, top, width, height, confidence) = (number()?, number()?, number()?, number()?, number()?);
        let text = cells.next().unwrap_or_default();
        Some(Row { level, page, line: (block, paragraph, line), left, top, width, height, confidence, text })
    })
}

/// Words of one page, in the table's order, their places in thousandths of a page so wide and high.
pub(super) fn words<'a>(rows: impl Iterator<Item = Row<'a>>, width: f32, height: f32) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut last = None;
    let mut line = 0;
    for row in rows.filter(|row| row.level == 5 && row.confidence >= 0.0) {
        let text = row.text.trim();
        if text.is_empty() || text.chars().count() > MAX_LETTERS {
            continue;
        }
        if last.is_some_and(|last| last != row.line) {
            line += 1;
        }
        last = Some(row.line);
        // A cell of `pdftotext` may hold a blank inside a word.
        for part in text.split_whitespace() {
            let text: String = part.chars().filter(|sign| !is_invisible(*sign)).collect();
            if text.is_empty() {
                continue;
            }
            words.push(Word {
                text,
                rect: rect(&row, width, height),
                confidence: (row.confidence / 100.0).clamp(0.0, 1.0),
                line,
            });
        }
        if words.len() >= MAX_WORDS {
            break;
        }
    }
    words
}

fn rect(row: &Row<'_>, width: f32, height: f32) -> Rect {
    let thousandths = |value: f32, of: f32| (value * 1000.0 / of.max(1.0)).clamp(0.0, 1000.0);
    let (x, y) = (thousandths(row.left, width), thousandths(row.top, height));
    let (right, bottom) = (thousandths(row.left + row.width, width), thousandths(row.top + row.height, height));
    Rect {
        x: x as u16,
        y: y as u16,
        width: (right.ceil() as u16).saturating_sub(x as u16),
        height: (bottom.ceil() as u16).saturating_sub(y as u16),
    }
}

/// The text of a page: the words of a line parted by blanks, lines by `\n`.
pub(super) fn text(words: &[Word]) -> String {
    let mut text = String::new();
    let mut last = None;
    for word in words {
        if let Some(last) = last {
            text.push(if last == word.line { ' ' } else { '\n' });
        }
        text.push_str(&word.text);
        last = Some(word.line);
    }
    text
}

/// Mean confidence of words, each by its letters; none where there are none.
pub(super) fn confidence(words: &[Word]) -> Option<f32> {
    let (sum, letters) = words.iter().fold((0.0, 0.0), |(sum, letters), word| {
        let count = word.text.chars().count() as f32;
        (sum + word.confidence * count, letters + count)
    });
    (letters > 0.0).then(|| sum / letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
        1\t1\t0\t0\t0\t0\t0\t0\t2000\t1000\t-1\t\n\
        5\t1\t1\t1\t1\t1\t200\t100\t400\t50\t96.5\tПриказ\n\
        5\t1\t1\t1\t1\t2\t700\t100\t20\t50\t90\t№\n\
        5\t1\t1\t1\t2\t1\t200\t200\t100\t50\t50\tот\n\
        5\t1\t1\t1\t2\t2\t200\t200\t100\t50\t95\t \n";

    #[test]
    fn a_table_becomes_words_with_places_in_lines() {
        let words = words(rows(TABLE), 2000.0, 1000.0);
        assert_eq!(text(&words), "Приказ №\nот");
        assert_eq!(words[0].rect, Rect { x: 100, y: 100, width: 200, height: 50 });
        assert!((words[0].confidence - 0.965).abs() < 1e-6);
        assert!(confidence(&words).is_some_and(|mean| (0.8..0.9).contains(&mean)));
    }

    #[test]
    fn signs_that_nobody_sees_are_no_part_of_a_word() {
        let table = "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t90\tн\u{200b}е\n5\t1\t1\t1\t1\t2\t9\t0\t9\t9\t90\t\u{200b}\n";
        assert_eq!(text(&words(rows(table), 100.0, 100.0)), "не");
    }

    #[test]
    fn no_words_have_no_confidence() {
        assert_eq!(confidence(&[]), None);
        assert_eq!(text(&[]), "");
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic_or_leave_the_page(table in "([0-9.\\-]{0,6}\t){10,12}[а-я ]{0,5}\n{0,3}") {
            for word in words(rows(&table), 100.0, 100.0) {
                prop_assert!(word.rect.x + word.rect.width <= 1001 && word.rect.y + word.rect.height <= 1001);
            }
        }
    }
}
