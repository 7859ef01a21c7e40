//! The share of a text's characters that a reading lost. Word by word and in any order, since a layout is read
//! column by column or across; what is not read letter for letter is held against the nearest word that is left.

use std::collections::HashMap;

/// From 0 to 1; none where the true text is empty.
pub fn share(truth: &str, read: &str) -> Option<f64> {
    let (wanted, read) = (words(truth), words(read));
    let all: usize = wanted.iter().map(Vec::len).sum();
    if all == 0 {
        return None;
    }
    let mut left = Left::new(read);
    let missed: Vec<Vec<char>> = wanted.into_iter().filter(|word| !left.take(word)).collect();
    let mut near = left.by_length();
    let lost: usize = missed.iter().map(|word| nearest(word, &mut near)).sum();
    Some(lost as f64 / all as f64)
}

/// Words between white space; lines of a form (`____`, `----`) are none.
fn words(text: &str) -> Vec<Vec<char>> {
    const RULE: &[char] = &['_', '-', '\u{2013}', '\u{2014}'];
    let letters: Vec<char> = text.chars().collect();
    let mut plain = letters.clone();
    for run in letters.chunk_by(|a, b| RULE.contains(a) && RULE.contains(b)).scan(0, |at, run| {
        *at += run.len();
        Some(*at - run.len()..*at)
    }) {
        if run.len() > 1 {
            plain[run].fill(' ');
        }
    }
    let plain: String = plain.into_iter().collect();
    plain.split_whitespace().map(|word| word.chars().collect()).collect()
}

/// The words that were read and stand for no word yet, each where it was read first.
struct Left {
    words: Vec<(Vec<char>, usize)>,
    places: HashMap<Vec<char>, usize>,
}

impl Left {
    fn new(read: Vec<Vec<char>>) -> Self {
        let mut left = Self { words: Vec::new(), places: HashMap::new() };
        for word in read {
            let place = *left.places.entry(word).or_insert_with_key(|word| {
                left.words.push((word.clone(), 0));
                left.words.len() - 1
            });
            left.words[place].1 += 1;
        }
        left
    }

    fn take(&mut self, word: &[char]) -> bool {
        let Some(&place) = self.places.get(word) else { return false };
        let times = &mut self.words[place].1;
        let there = *times > 0;
        *times -= usize::from(there);
        there
    }

    fn by_length(self) -> HashMap<usize, Vec<Vec<char>>> {
        let mut by_length: HashMap<usize, Vec<Vec<char>>> = HashMap::new();
        for (word, times) in self.words {
            by_length.entry(word.len()).or_default().extend(std::iter::repeat_n(word, times));
        }
        by_length
    }
}

/// How many letters differ from the nearest word of about this length, which is used up; all where none is near.
fn nearest(word: &[char], left: &mut HashMap<usize, Vec<Vec<char>>>) -> usize {
    let (mut least, mut found) = (word.len(), None);
    for length in word.len().saturating_sub(2).max(1)..=word.len() + 2 {
        for (place, other) in left.get(&length).into_iter().flatten().enumerate() {
            let differ = differing(word, other, least);
            if differ < least {
                (least, found) = (differ, Some((length, place)));
            }
        }
    }
    if let Some((length, place)) = found {
        left.entry(length).or_default().remove(place);
    }
    least
}

/// Letters to insert, drop or change, `most` if there are as many.
fn differing(one: &[char], other: &[char], most: usize) -> usize {
    if one.len().abs_diff(other.len()) >= most {
        return most;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
        if row.iter().all(|differ| *differ >= most) {
            return most;
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_words_and_the_lines_of_a_form_cost_nothing() {
        assert_eq!(share("Приказ № 7 ____ от 4 мая", "от 4 мая\nПриказ -- № 7"), Some(0.0));
        assert_eq!(share("санаторно-курортный", "санаторно-курортный"), Some(0.0));
        assert_eq!(share(" ____\n", "что угодно"), None);
    }

    #[test]
    fn a_misread_word_costs_its_wrong_letters_and_a_lost_one_all() {
        assert_eq!(share("Приказ Асанова", "Приказ Асапова"), Some(1.0 / 13.0));
        assert_eq!(share("Приказ Асанова", "Приказ"), Some(7.0 / 13.0));
        assert_eq!(share("мама мама", "мама"), Some(0.5));
        assert_eq!(share("дом", "дымок"), Some(1.0), "no more than the word has");
    }

    #[test]
    fn a_word_stands_for_one_word_only() {
        assert_eq!(share("Асан Асаи", "Асам"), Some(5.0 / 8.0));
    }
}
