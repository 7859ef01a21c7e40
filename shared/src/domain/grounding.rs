//! The model is never trusted: what it says a document holds must stand there. A value is grounded
//! when the recognised text holds its quote and the value follows from the quote by meaning: a
//! nominative name from a declined one, an ISO date from a spelled one.

use chrono::NaiveDate;

use super::letters::key;
use super::names::{self, Reason};
use super::page::Page;
use super::{dates, letters};

/// A longer quote is no quote of a name or a date.
const LONGEST_QUOTE: usize = 300;

/// The page whose text holds the quote: white space, case, marks and Kazakh letters aside, and one
/// letter in ten mended by the model. None where no page does.
#[must_use]
pub fn holds(quote: &str, pages: &[Page]) -> Option<u32> {
    let wanted: Vec<char> = key(quote);
    if wanted.len() < 3 || wanted.len() > LONGEST_QUOTE {
        return None;
    }
    let texts: Vec<Vec<char>> = pages.iter().map(|page| key(&page.text)).collect();
    let exact = texts.iter().position(|text| text.windows(wanted.len()).any(|window| window == wanted));
    // Digits are never forgiven: a mended digit is another date.
    let soft = || {
        let digits = wanted.iter().any(char::is_ascii_digit);
        (!digits && wanted.len() >= 8)
            .then(|| texts.iter().position(|text| nearly_holds(&wanted, text, wanted.len() / 10)))
            .flatten()
    };
    exact.or_else(soft).map(|index| pages[index].number)
}

/// Whether `value` (a name in the nominative) follows from `quote`, and the pages hold the quote.
/// The value may not say more than the quote: no full name out of initials.
#[must_use]
pub fn grounds_name(value: &str, quote: &str, pages: &[Page]) -> bool {
    if holds(quote, pages).is_none() {
        return false;
    }
    let said = full_words(value);
    let cleaned: String =
        quote.chars().map(|c| if matches!(c, ',' | ';' | ':' | '(' | ')' | '/') { ' ' } else { c }).collect();
    // A form has a field for each part: «Фамилия Рябова», below «Имя Вера».
    let words: Vec<&str> = cleaned.split_whitespace().filter(|word| !is_label(word)).collect();
    (0..words.len()).any(|from| {
        (from + 1..=words.len().min(from + 5)).any(|to| {
            let window = words[from..to].join(" ");
            if full_words(&window) < said {
                return false;
            }
            let compared = names::compare(value, &window);
            compared.same
                && matches!(
                    compared.reason,
                    Reason::Same | Reason::SameOtherForm | Reason::SameInitials | Reason::SameWithoutPatronymic
                )
        })
    })
}

/// Whether `value` is a date that `quote` names, and the pages hold the quote.
#[must_use]
pub fn grounds_date(value: NaiveDate, quote: &str, pages: &[Page]) -> bool {
    holds(quote, pages).is_some() && dates::find(quote).iter().any(|candidate| candidate.date == value)
}

/// A word by which forms ask for a part of a name.
fn is_label(word: &str) -> bool {
    let key: String = key(word);
    ["фамилия", "имя", "отчество", "теги", "аты", "акесинин", "жони"].contains(&key.as_str())
}

/// Words of more than an initial.
fn full_words(name: &str) -> usize {
    name.split_whitespace()
        .filter(|word| !word.contains('.') && word.chars().filter(|c| c.is_alphabetic()).count() > 1)
        .count()
}

/// Whether some stretch of the text differs from the quote in at most `most` letters.
fn nearly_holds(wanted: &[char], text: &[char], most: usize) -> bool {
    let most = most * 2;
    let mut column: Vec<usize> = (0..=wanted.len()).map(|i| i * 2).collect();
    for letter in text {
        let mut diagonal = column[0];
        for (i, meant) in wanted.iter().enumerate() {
            let swap = diagonal
                + if meant == letter {
                    0
                } else if letters::confusable(*meant, *letter) {
                    1
                } else {
                    2
                };
            diagonal = column[i + 1];
            column[i + 1] = swap.min(diagonal + 2).min(column[i] + 2);
        }
        if column[wanted.len()] <= most {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::page::PageSource;

    fn pages(text: &str) -> Vec<Page> {
        vec![Page {
            number: 1,
            text: text.to_owned(),
            words: Vec::new(),
            confidence: None,
            source: PageSource::TextLayer,
        }]
    }

    const TEXT: &str =
        "ПРИКАЗ от «04» декабря\n2023 г.\nУволить Рябову Веру Ильиничну,\nкассира. Директор К.О. Демченко";

    #[test]
    fn a_nominative_name_follows_from_its_declined_quote() {
        assert!(grounds_name("Рябова Вера Ильинична", "Рябову Веру Ильиничну", &pages(TEXT)));
        assert!(grounds_name("Рябова Вера Ильинична", "уволить рябову веру ильиничну, кассира", &pages(TEXT)));
        assert!(grounds_name("Демченко К.О.", "Директор К.О. Демченко", &pages(TEXT)));
    }

    #[test]
    fn a_name_that_the_text_or_the_quote_does_not_hold_is_refused() {
        assert!(!grounds_name("Рябова Вера Ильинична", "Рябова Вера Игоревна", &pages(TEXT)));
        assert!(!grounds_name("Белов Иван Ильич", "Рябову Веру Ильиничну", &pages(TEXT)));
        assert!(!grounds_name("Рябова Нина Ильинична", "Рябову Веру Ильиничну", &pages(TEXT)));
        assert!(!grounds_name("Демченко Карина Олеговна", "К.О. Демченко", &pages(TEXT)));
        assert!(!grounds_name("", "", &pages(TEXT)));
    }

    #[test]
    fn a_name_may_stand_in_a_field_for_each_part_and_nothing_else_between() {
        let form = "Тегі / Фамилия: Рябова\nАты / Имя Вера\nӘкесінің аты / Отчество | Ильинична\nДиректор Демченко";
        let quote = "Рябова\nАты / Имя Вера\nӘкесінің аты / Отчество | Ильинична";
        assert!(grounds_name("Рябова Вера Ильинична", quote, &pages(form)));
        assert!(!grounds_name("Рябова Вера Демченко", quote, &pages(form)));
        let letter = "Рябова\nпринята, о чем Вера\nи Ильинична извещены";
        assert!(!grounds_name("Рябова Вера Ильинична", letter, &pages(letter)));
    }

    #[test]
    fn an_iso_date_follows_from_a_spelled_one_and_no_digit_is_forgiven() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert!(grounds_date(day("2023-12-04"), "«04» декабря 2023 г.", &pages(TEXT)));
        assert!(!grounds_date(day("2023-12-05"), "«04» декабря 2023 г.", &pages(TEXT)));
        assert!(!grounds_date(day("2026-12-04"), "«04» декабря 2026 г.", &pages(TEXT)));
        assert!(!grounds_date(day("2023-12-04"), "2023-12-04", &pages(TEXT)));
    }

    #[test]
    fn a_letter_that_the_model_mended_is_forgiven() {
        assert_eq!(holds("Уволить Рябову Веру Ильинничну", &pages(TEXT)), Some(1));
        assert_eq!(holds("Принять Рябову Веру", &pages(TEXT)), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(value in any::<String>(), quote in any::<String>(), text in any::<String>()) {
            let pages = pages(&text);
            let _ = grounds_name(&value, &quote, &pages);
            let _ = holds(&quote, &pages);
        }
    }
}
