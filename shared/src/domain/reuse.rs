//! Whether two papers are the same one, and whether two applicants are the same person. Pure.

use std::collections::HashMap;

use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};

use super::letters::fold;
use super::names;

/// Flag: the same document was submitted for another person before.
pub const FLAG_DOCUMENT_REUSED: &str = "document_reused";

/// Bits in which the prints of two scans of one page differ, at most.
pub const NEAR: u32 = 16;

/// Of the words of two readings of one page at least so many are common,
const COMMON_WORDS: f64 = 0.5;

/// and of its numbers so many: a template's papers have their words in common, and not their numbers.
const COMMON_NUMBERS: f64 = 0.6;

/// Under which a paper is looked up: its date and type, as they were found.
#[must_use]
pub fn found_key(doc_date: Option<NaiveDate>, doc_type: Option<&str>) -> i64 {
    let text = format!("{}|{}", doc_date.map(|day| day.to_string()).unwrap_or_default(), doc_type.unwrap_or_default());
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    hash[..8].iter().fold(0, |key, byte| key << 8 | i64::from(*byte))
}

/// What is known of a paper.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper<'a> {
    /// Whom it is about.
    pub fio: Option<&'a str>,
    /// The prints of its pages.
    pub prints: &'a [u64],
    /// What was read, page by page.
    pub texts: Vec<&'a str>,
}

/// Whether two papers of one date and type are one: page for page they look alike, are about the same person, and most
/// words and numbers are the same.
#[must_use]
pub fn same_paper(one: &Paper<'_>, other: &Paper<'_>) -> bool {
    let alike = |one: &[u64], other: &[u64]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| (one ^ other).count_ones() <= NEAR)
    };
    let about_one = match (one.fio, other.fio) {
        (Some(one), Some(other)) => same_person(one, other),
        (None, None) => true,
        _ => false,
    };
    about_one && alike(one.prints, other.prints) && same_text(&one.texts.join("\n"), &other.texts.join("\n"))
}

/// Whether two names are one person's, whichever is written the fuller.
#[must_use]
pub fn same_person(one: &str, other: &str) -> bool {
    names::compare(one, other).same || names::compare(other, one).same
}

fn same_text(one: &str, other: &str) -> bool {
    let (words, numbers) = (|word: &str| !is_number(word), is_number);
    let common = |kind: &dyn Fn(&str) -> bool, least: f64| {
        let (one, other) = (count(one, kind), count(other, kind));
        let all = one.values().sum::<usize>().max(other.values().sum());
        let both: usize = one.iter().map(|(word, count)| *count.min(other.get(word).unwrap_or(&0))).sum();
        all == 0 || both as f64 >= all as f64 * least
    };
    common(&words, COMMON_WORDS) && common(&numbers, COMMON_NUMBERS)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

fn count(text: &str, kind: &dyn Fn(&str) -> bool) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    let all = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() > 1);
    for word in all.map(fold).filter(|word| kind(word)) {
        *words.entry(word).or_default() += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "Приказ № 412-К от 16.11.2026 г. Предоставить Ахметову Марату Сериковичу, табельный 20771, отпуск \
                         без сохранения заработной платы с 17.11.2026 по 30.11.2026 основание заявление работника";

    fn paper<'a>(fio: &'a str, prints: &'a [u64], text: &'a str) -> Paper<'a> {
        Paper { fio: Some(fio), prints, texts: vec![text] }
    }

    #[test]
    fn a_second_reading_of_a_paper_is_the_same_paper() {
        let again =
            ORDER.replace("Предоставить", "Предоставитъ").replace("20771", "20777").replace("работника", "раб0тника");
        let (one, other) =
            (paper("Ахметов Марат Серикович", &[0xFF], ORDER), paper("Ахметов Марат Сериковин", &[0xFC], &again));
        assert!(same_paper(&one, &other));
    }

    #[test]
    fn papers_of_one_template_are_told_apart_by_what_they_say() {
        let one = paper("Ахметов Марат Серикович", &[0xFF], ORDER);
        let neighbour = ORDER.replace("Ахметову Марату Сериковичу", "Белову Олегу Петровичу");
        assert!(!same_paper(&one, &paper("Белов Олег Петрович", &[0xFF], &neighbour)), "another person");
        let next =
            ORDER.replace("412", "598").replace("17.11", "01.12").replace("30.11", "15.12").replace("20771", "20772");
        assert!(!same_paper(&one, &paper("Ахметов Марат Серикович", &[0xFF], &next)), "another order of the same day");
    }

    #[test]
    fn what_looks_otherwise_is_another_paper() {
        let one = paper("Ахметов Марат Серикович", &[0], ORDER);
        assert!(!same_paper(&one, &paper("Ахметов Марат Серикович", &[u64::MAX], ORDER)));
        assert!(!same_paper(&one, &paper("Ахметов Марат Серикович", &[0, 0], ORDER)), "another number of pages");
        assert!(!same_paper(&one, &Paper { fio: None, ..one.clone() }));
    }

    #[test]
    fn the_key_is_that_of_date_and_type() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 16);
        assert_eq!(found_key(day, Some("Справка")), found_key(day, Some("Справка")));
        assert_ne!(found_key(day, Some("Справка")), found_key(day, None));
        assert_ne!(found_key(None, Some("Справка")), found_key(day, Some("Справка")));
    }
}
