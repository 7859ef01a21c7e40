//! Text that Tesseract passed over. Its search for blocks takes text beside a stamp or in a frame for a
//! part of a picture and leaves it out, without a word about it. So the words that were read are
//! painted over, and if what is left still looks like text, that is read by itself.

use shared::domain::{Rect, Word};

use crate::imaging::Gray;
use crate::imaging::ink::Ink;
use crate::imaging::rules::without_rules;

/// Words less sure than this are not painted over, so that they may be read better.
const READ: f32 = 0.3;

/// What is left is read if it has more than this share of the page's ink.
const SHARE: f32 = 0.05;

/// So few points of ink are no word.
const FEW_POINTS: usize = 120;

/// Words of what is left count if they are as sure as this: much of it is stamps and signatures.
const SURE: f32 = 0.6;

/// The page without the words that were read and without frames; none where nothing much is left.
pub(super) fn leftover(page: &Gray, words: &[Word]) -> Option<Gray> {
    let mut left = page.clone();
    for word in words.iter().filter(|word| word.confidence >= READ) {
        // A frame read as a letter must not hide what is in it.
        if word.rect.height < 60 && word.rect.width < 600 {
            paint_over(&mut left, word.rect);
        }
    }
    let points = Ink::of(&left).points.len();
    let all = Ink::of(page).points.len();
    (points > FEW_POINTS && points as f32 > SHARE * all as f32).then(|| without_rules(&left))
}

fn paint_over(page: &mut Gray, rect: Rect) {
    let across = |thousandths: u16| usize::from(thousandths) * page.width / 1000;
    let down = |thousandths: u16| usize::from(thousandths) * page.height / 1000;
    let (left, right) = (across(rect.x).saturating_sub(2), (across(rect.x + rect.width) + 3).min(page.width));
    let (top, bottom) = (down(rect.y).saturating_sub(2), (down(rect.y + rect.height) + 3).min(page.height));
    for y in top..bottom {
        page.pixels[y * page.width + left..y * page.width + right].fill(255);
    }
}

/// Puts words that were read later among those read first, each at its place on the page.
pub(super) fn merge(words: &mut Vec<Word>, more: Vec<Word>) {
    for word in more {
        let letters = word.text.chars().filter(|letter| letter.is_alphanumeric()).count();
        if word.confidence < SURE || letters < 2 || words.iter().any(|read| covers(read, &word)) {
            continue;
        }
        let middle = word.rect.y + word.rect.height / 2;
        let same_line = words.iter().find(|read| {
            let height = read.rect.height.max(1);
            (read.rect.y..read.rect.y + height).contains(&middle) && height < word.rect.height.saturating_mul(2)
        });
        if let Some(line) = same_line.map(|read| read.line) {
            let place = words.iter().position(|read| read.line == line && read.rect.x > word.rect.x);
            let place = place.or_else(|| words.iter().rposition(|read| read.line == line).map(|last| last + 1));
            words.insert(place.unwrap_or(words.len()), Word { line, ..word });
        } else {
            let place = words.iter().position(|read| read.rect.y > middle).unwrap_or(words.len());
            // Not into the middle of a line that slants.
            let line = words.get(place).map(|read| read.line);
            let place = words.iter().position(|read| Some(read.line) == line).unwrap_or(words.len());
            let line = line.unwrap_or_else(|| words.last().map_or(0, |last| last.line + 1));
            words[place..].iter_mut().for_each(|read| read.line += 1);
            words.insert(place, Word { line, ..word });
        }
    }
}

/// Whether most of `word` lies where a word was read already.
fn covers(read: &Word, word: &Word) -> bool {
    let (a, b) = (read.rect, word.rect);
    let across = (a.x + a.width).min(b.x + b.width).saturating_sub(a.x.max(b.x));
    let down = (a.y + a.height).min(b.y + b.height).saturating_sub(a.y.max(b.y));
    read.confidence >= READ && u32::from(across) * u32::from(down) * 2 > u32::from(b.width) * u32::from(b.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocr::tsv;

    fn word(text: &str, x: u16, y: u16, line: u32) -> Word {
        Word { text: text.to_owned(), rect: Rect { x, y, width: 80, height: 20 }, confidence: 0.9, line }
    }

    #[test]
    fn words_read_later_stand_where_they_stand_on_the_page() {
        let mut words = vec![word("Приказ", 100, 100, 0), word("отпуск", 100, 200, 1), word("Мусину", 300, 200, 1)];
        let doubtful = Word { confidence: 0.4, ..word("печать", 500, 150, 0) };
        let again = word("Мусмну", 305, 202, 0);
        merge(
            &mut words,
            vec![
                word("дать", 200, 202, 0),
                word("Костанай", 100, 150, 0),
                word("Директор", 100, 300, 1),
                doubtful,
                again,
            ],
        );
        assert_eq!(tsv::text(&words), "Приказ\nКостанай\nотпуск дать Мусину\nДиректор");
    }

    #[test]
    fn a_page_read_whole_leaves_nothing() {
        let mut page = Gray::filled(600, 800, 255);
        for y in 100..110 {
            for x in (60..540).filter(|x| x % 8 < 5) {
                page.pixels[y * 600 + x] = 0;
            }
        }
        let rect = Rect { x: 90, y: 120, width: 500, height: 20 };
        let mut words = vec![Word { text: "строка".to_owned(), rect, confidence: 0.9, line: 0 }];
        assert!(leftover(&page, &words).is_some(), "a part of the line was passed over");
        words.push(Word { rect: Rect { x: 580, width: 400, ..rect }, ..words[0].clone() });
        assert!(leftover(&page, &words).is_none());
        assert!(leftover(&page, &[]).is_some());
    }
}
