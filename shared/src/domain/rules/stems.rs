//! Beginnings of words («расторж», «нетрудоспособн») and sets of them that stand near each other.
//! Every token is looked at once; after that a topic is a search for bits.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::tokens::{Token, letter_bit, letter_bits};
use crate::domain::doc_types::DOC_TYPES;
use crate::domain::doc_wordings as wordings;
use crate::domain::letters::{fold, prefix_distance};

impl Compiled {
    /// Letters of a stem.
    fn length(&self, stem: usize) -> usize {
        self.stems[stem].letters.len()
    }
}

/// At most this many stems exist; a test counts them.
const CAPACITY: usize = 320;

/// No stem is longer; a test looks.
const LONGEST_STEM: usize = 16;

/// A set of stems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StemSet([u64; CAPACITY / 64]);

impl StemSet {
    fn insert(&mut self, stem: usize) {
        self.0[stem / 64] |= 1 << (stem % 64);
    }

    pub(super) fn contains(&self, stem: usize) -> bool {
        self.0[stem / 64] & (1 << (stem % 64)) != 0
    }
}

struct Stem {
    letters: Vec<char>,
    bits: u64,
}

/// A set of stems that stand near each other.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    stems: Vec<usize>,
    negated: bool,
}

impl Topic {
    /// Two words at least, which is more than a chance.
    pub(super) fn says_enough(&self) -> bool {
        self.stems.len() >= 2
    }
}

/// Topics of one type.
pub(super) struct Topics {
    pub title: Vec<Topic>,
    pub body: Vec<Topic>,
}

/// Everything compiled from the wordings.
pub(super) struct Compiled {
    stems: Vec<Stem>,
    /// In the order of [`DOC_TYPES`].
    pub types: Vec<Topics>,
    pub other_orders: Vec<Topic>,
    pub opposites: Vec<Topic>,
    /// See [`wordings::ENDED`].
    pub ended: Vec<Topic>,
    /// See [`wordings::OTHER_SUBJECTS`].
    pub other_subjects: Vec<Topic>,
}

pub(super) static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut stems: Vec<Stem> = Vec::new();
    let mut topic = |text: &str| {
        let ids: Vec<usize> = text
            .split_whitespace()
            .map(|stem| {
                let stem = fold(stem);
                *names.entry(stem.clone()).or_insert_with(|| {
                    let letters: Vec<char> = stem.chars().collect();
                    stems.push(Stem { bits: letter_bits(&letters), letters });
                    stems.len() - 1
                })
            })
            .collect();
        Topic { negated: text.split_whitespace().any(|word| word == "не" || word == "без"), stems: ids }
    };
    let mut all = |texts: &[&str]| texts.iter().map(|text| topic(text)).collect::<Vec<_>>();
    let types = DOC_TYPES.iter().map(|t| Topics { title: all(t.title_topics), body: all(t.body_topics) }).collect();
    let other_orders = all(wordings::OTHER_ORDERS);
    let opposites = all(wordings::OPPOSITES);
    let ended = all(wordings::ENDED);
    let other_subjects = all(wordings::OTHER_SUBJECTS);
    Compiled { stems, types, other_orders, opposites, ended, other_subjects }
});

/// The stems that a word begins with, or a part of it after a hyphen («врачебно-консультативной»); a
/// misread letter is forgiven in long ones.
pub(super) fn stems_of(word: &[char]) -> StemSet {
    let mut set = StemSet::default();
    add_stems(word, &mut set);
    for (at, letter) in word.iter().enumerate() {
        if *letter == '-' {
            add_stems(&word[at + 1..], &mut set);
        }
    }
    set
}

fn add_stems(word: &[char], set: &mut StemSet) {
    // The letters of the first n signs: a stem whose letters are not there cannot fit.
    let mut starts = [0u64; LONGEST_STEM + 2];
    for length in 1..starts.len() {
        starts[length] = starts[length - 1] | word.get(length - 1).map_or(0, |letter| letter_bit(*letter));
    }
    for (id, stem) in COMPILED.stems.iter().enumerate() {
        let length = (stem.letters.len() + 1).min(LONGEST_STEM + 1);
        let missing = (stem.bits & !starts[length]).count_ones();
        let strange = (starts[length.saturating_sub(2)] & !stem.bits).count_ones();
        if begins_with(word, &stem.letters, missing.max(strange) as usize) {
            set.insert(id);
        }
    }
}

/// Whether the word begins with the stem. Short stems must agree letter for letter, the shortest be
/// the whole word; in long ones one letter in five may be misread.
fn begins_with(word: &[char], stem: &[char], missing: usize) -> bool {
    if stem.len() <= 2 {
        return word == stem;
    }
    if word.starts_with(stem) {
        return true;
    }
    let most = match stem.len() {
        // «вез сохранения», «сбщей»: one letter that looks alike.
        3 if stem == ['б', 'е', 'з'] && word.len() == 3 || stem == ['о', 'б', 'щ'] => 1,
        0..=3 => return false,
        4..=7 => 2,
        8..=10 => 3,
        _ => 4,
    };
    missing <= most && prefix_distance(stem, word, most).is_some()
}

/// Where a topic stands: its first and last token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub first: usize,
    pub last: usize,
}

/// The first place among `tokens[from..to]` where all stems of the topic stand with at most `gap`
/// words between one and the next; a statement that is denied («не находится») does not count.
pub(super) fn find(tokens: &[Token], from: usize, to: usize, topic: &Topic, gap: usize) -> Option<Place> {
    let range = &tokens[from..to];
    let is_part = |token: &Token| topic.stems.iter().any(|stem| token.stems().contains(*stem));
    for (offset, token) in range.iter().enumerate() {
        if !is_part(token) {
            continue;
        }
        let mut missing: Vec<usize> = topic.stems.clone();
        let (mut since, mut last) = (0usize, offset);
        for (index, next) in range.iter().enumerate().skip(offset) {
            if !next.is_word() {
                continue;
            }
            let before = missing.len();
            missing.retain(|stem| !next.stems().contains(*stem));
            if missing.len() < before {
                (since, last) = (0, index);
                if missing.is_empty() {
                    break;
                }
            } else {
                since += 1;
                if since > gap {
                    break;
                }
            }
        }
        if missing.is_empty() && (topic.negated || !denied(range, offset, last, topic)) {
            return Some(Place { first: from + offset, last: from + last });
        }
    }
    None
}

/// «не» before one of the words or before the verb that leads to them («не состоит на учете»), «жоқ» or «емес»
/// right after, or a word of the topic with a denying ending («тіркелмеген»).
fn denied(range: &[Token], first: usize, last: usize, topic: &Topic) -> bool {
    // «нс», «ие» and «пе» are «не» misread.
    let says_no = |token: &Token| ["не", "ни", "нс", "ие", "пе"].iter().any(|word| token.folds_to(word));
    let no = range[first.saturating_sub(1)..=last].iter().any(says_no);
    let led = range[first.saturating_sub(5)..first]
        .windows(2)
        .any(|pair| says_no(&pair[0]) && VERBS.iter().any(|verb| pair[1].folded().starts_with(verb)));
    let after = range[last + 1..].iter().filter(|token| token.is_word()).take(2);
    no || led
        || after.into_iter().any(|token| token.folds_to("жок") || token.folds_to("емес"))
        || range[first..=last].iter().any(|token| {
            topic.stems.iter().any(|stem| token.stems().contains(*stem) && denies(&token.fold, COMPILED.length(*stem)))
        })
}

/// Verbs between «не» and what is denied, folded.
const VERBS: [&str; 7] = ["состо", "явля", "наход", "име", "числ", "стоит", "зарегистр"];

/// A Kazakh verb is denied by -ма-, -ме- and the like behind its stem.
fn denies(word: &[char], stem: usize) -> bool {
    let rest = word.get(stem..).unwrap_or_default();
    (0..rest.len().min(4)).any(|at| matches!(rest[at..], ['м' | 'б' | 'п', 'а' | 'е', 'г' | 'д' | 'й' | 'с', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stems_fit_into_a_set() {
        assert!(COMPILED.stems.len() <= CAPACITY, "{}", COMPILED.stems.len());
        assert!(COMPILED.stems.iter().all(|stem| stem.letters.len() <= LONGEST_STEM));
    }
}
