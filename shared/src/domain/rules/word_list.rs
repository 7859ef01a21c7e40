//! Lists of word beginnings, folded once.

use super::tokens::Token;
use crate::domain::letters::fold;

/// Word beginnings with a value each. One of up to three letters must be the whole word.
pub(super) struct WordList<V>(Vec<(Vec<char>, V)>);

impl<V: Copy> WordList<V> {
    pub(super) fn new(words: &[(&str, V)]) -> Self {
        Self(words.iter().map(|(word, value)| (fold(word).chars().collect(), *value)).collect())
    }

    /// The value of the first beginning that fits the token.
    pub(super) fn value(&self, token: &Token) -> Option<V> {
        self.0.iter().find(|(stem, _)| fits(token, stem)).map(|(_, value)| *value)
    }
}

impl WordList<()> {
    pub(super) fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (fold(word).chars().collect(), ())).collect())
    }

    pub(super) fn has(&self, token: &Token) -> bool {
        self.value(token).is_some()
    }
}

fn fits(token: &Token, stem: &[char]) -> bool {
    if stem.len() <= 3 { token.fold == stem } else { token.fold.starts_with(stem) }
}
