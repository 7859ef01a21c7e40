//! Words that a name can be made of, and words of labels.

use std::sync::LazyLock;

use super::tokens::Token;
use crate::domain::letters::distance;
use crate::domain::names::{self, given_names, patronymic, surnames};

/// Whether the token can be part of a name as it stands.
pub(super) fn name_like(token: &Token) -> bool {
    token.is_word()
        && token.capital()
        && token.fold.len() >= 2
        && !token.text.chars().any(|c| c.is_ascii_digit())
        && !is_label(token)
        && !STOP.iter().any(|word| token.folds_to(word))
}

/// «Дана» is what certificates begin with and a given name, which counts where the rest of a name stands around it.
pub(super) fn is_dana(token: &Token) -> bool {
    token.capital() && token.folds_to("дана")
}

pub(super) fn is_initial(token: &Token) -> bool {
    token.is_word() && token.capital() && (token.text.chars().count() == 1 || token.text == "Дж")
}

pub(super) fn is_patronymic(token: &Token) -> bool {
    patronymic::parse(&token.text.to_lowercase()).is_some()
}

/// A patronymic with a misread ending, told by its place after a surname and a given name.
pub(super) fn nearly_patronymic(token: &Token) -> bool {
    is_patronymic(token)
        || ENDINGS.iter().any(|ending| {
            token.fold.len() >= ending.len() + 2
                && distance(&token.fold[token.fold.len() - ending.len()..], ending, 2).is_some()
        })
}

pub(super) static ENDINGS: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    [
        "ович",
        "овича",
        "овичу",
        "овичем",
        "евич",
        "евича",
        "евичу",
        "евичем",
        "овна",
        "овны",
        "овне",
        "овну",
        "овной",
        "евна",
        "евны",
        "евне",
        "евну",
        "евной",
        "кызы",
        "улына",
        "кызына",
        "улымен",
        "кызымен",
    ]
    .iter()
    .map(|ending| ending.chars().collect())
    .collect()
});

pub(super) fn looks_like_given(token: &Token) -> bool {
    let word = token.text.to_lowercase();
    given_names::is_known(&word) || given_names::is_known(&names::given_nominative(&word))
}

pub(super) fn looks_like_surname(token: &Token) -> bool {
    let word = token.text.to_lowercase();
    let typical = [
        "ов", "ев", "ин", "ын", "ова", "ева", "ина", "ына", "ский", "ская", "цкий", "цкая", "ову", "еву", "ину", "ой",
        "ым", "енко", "юк", "ук", "ян", "бай", "бек", "ұлы",
    ];
    typical.iter().any(|ending| word.ends_with(ending)) || surnames::is_known(&word) || given_names::is_known(&word)
}

/// Words of labels, a misread letter forgiven in the long ones.
pub(super) fn is_label(token: &Token) -> bool {
    LABELS.iter().any(|label| is_word(token, label))
}

pub(super) static LABELS: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    ["фамилия", "имя", "отчество", "теги", "аты", "акесинин", "фио", "таа"]
        .iter()
        .map(|l| l.chars().collect())
        .collect()
});

pub(super) fn is_word(token: &Token, word: &[char]) -> bool {
    token.fold == word
        || token.fold.len().abs_diff(word.len()) <= 1
            && match word.len() {
                0..=2 => false,
                3 => token.fold.len() == 3 && distance(&token.fold, word, 1).is_some(),
                4..=5 => distance(&token.fold, word, 1).is_some(),
                _ => distance(&token.fold, word, 3).is_some(),
            }
}

/// [`is_word`] for a label of one word.
pub(super) fn is_the_label(token: &Token, label: &str) -> bool {
    LABELS.iter().any(|letters| letters.iter().copied().eq(label.chars()) && is_word(token, letters))
}

/// Capitalised words that are no names.
pub(super) const STOP: &[&str] = &[
    "республика",
    "казахстан",
    "казакстан",
    "республикасы",
    "справка",
    "приказ",
    "буйрык",
    "аныктама",
    "тоо",
    "ао",
    "жшс",
    "ак",
    "кгп",
    "кгу",
    "ип",
    "бин",
    "бсн",
    "иин",
    "жсн",
    "дана",
    "выдана",
    "директор",
    "медицинской",
    "трудового",
    "кодекса",
    "форма",
    "нысан",
    "министерство",
    "область",
    "город",
    "туган",
    "куни",
    "жери",
    "берилген",
];
