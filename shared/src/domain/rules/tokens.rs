//! The recognised text as words and marks with their places: what every rule looks at.

use std::cell::OnceCell;

use super::stems::{StemSet, stems_of};
use crate::domain::letters::{fold, is_word_sign, mend_alphabet};
use crate::domain::page::Page;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with digits or a hyphen perhaps.
    Word,
    /// Digits.
    Number,
    /// One sign.
    Mark(char),
}

/// A word, number or mark.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// As it was read, a word broken at the end of a line joined, look-alikes mended.
    pub text: String,
    /// Lower case, folded.
    pub fold: Vec<char>,
    /// Every letter is a capital, and there are two signs at least.
    capitals: bool,
    pub kind: Kind,
    /// Index of the page.
    pub page: usize,
    /// Line within the page, from 0.
    pub line: usize,
    /// Bytes of the page's text.
    pub start: usize,
    pub end: usize,
    /// First of its line, or after a gap as wide as between columns.
    pub heads: bool,
    /// Which stems it begins with (see `stems`), once somebody asked: many questions are answered without.
    stems: OnceCell<StemSet>,
    /// Made of pieces that stood apart (see `torn`).
    pub torn: bool,
}

impl Token {
    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// Whether the first letter is a capital.
    pub(super) fn capital(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether every letter is a capital, two at least.
    pub(super) fn all_capitals(&self) -> bool {
        self.capitals
    }

    /// Which stems it begins with; only words begin with any.
    pub(super) fn stems(&self) -> &StemSet {
        self.stems.get_or_init(|| if self.is_word() { stems_of(&self.fold) } else { StemSet::default() })
    }

    /// The folded word as a string.
    pub(super) fn folded(&self) -> String {
        self.fold.iter().collect()
    }

    pub(super) fn folds_to(&self, word: &str) -> bool {
        self.fold.iter().copied().eq(word.chars())
    }

    /// One word of the pieces from this one to the last.
    pub(super) fn with_pieces(&self, last: &Self, text: String) -> Self {
        let folded: Vec<char> = fold(&text).chars().collect();
        Self {
            stems: OnceCell::new(),
            capitals: is_capitals(&text),
            fold: folded,
            text,
            end: last.end,
            torn: true,
            ..self.clone()
        }
    }
}

/// Every letter is a capital, and there are two signs at least.
fn is_capitals(text: &str) -> bool {
    text.chars().nth(1).is_some() && text.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase)
}

/// Bit of a folded letter in a set of letters.
pub(super) fn letter_bit(letter: char) -> u64 {
    match letter {
        'а'..='я' => 1 << (letter as u32 - 'а' as u32),
        'a'..='z' => 1 << (32 + letter as u32 - 'a' as u32),
        _ => 0,
    }
}

pub(super) fn letter_bits(word: &[char]) -> u64 {
    word.iter().fold(0, |bits, letter| bits | letter_bit(*letter))
}

/// A text far longer than a document of 20 pages has is cut, so that no input takes long.
const LONGEST_PAGE: usize = 32_000;

/// The tokens of all pages in reading order.
pub(super) fn tokenise(pages: &[Page]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let from = tokens.len();
        tokenise_page(&page.text, index, &mut tokens);
        join_spaced(&mut tokens, from);
    }
    tokens
}

/// «П Р И К А З» is one word: a run of four single capitals or more on one line.
fn join_spaced(tokens: &mut Vec<Token>, from: usize) {
    let single = |token: &Token| token.is_word() && token.fold.len() == 1 && token.capital();
    let mut at = from;
    while at < tokens.len() {
        let line = tokens[at].line;
        let run = tokens[at..].iter().take_while(|token| single(token) && token.line == line).count();
        if run >= 4 {
            let text: String = tokens[at..at + run].iter().map(|token| token.text.as_str()).collect();
            let end = tokens[at + run - 1].end;
            let folded: Vec<char> = fold(&text).chars().collect();
            tokens[at].stems = OnceCell::new();
            (tokens[at].text, tokens[at].fold, tokens[at].end) = (text, folded, end);
            tokens[at].capitals = true;
            tokens.drain(at + 1..at + run);
        }
        at += run.max(1);
        if run >= 4 {
            at -= run - 1;
        }
    }
}

fn tokenise_page(text: &str, page: usize, tokens: &mut Vec<Token>) {
    let mut signs = text.char_indices().take_while(|(at, _)| *at < LONGEST_PAGE).peekable();
    let (mut line, mut spaces, mut heads) = (0usize, 0usize, true);
    while let Some((start, sign)) = signs.next() {
        if sign == '\n' || sign == '\u{c}' {
            line += 1;
            (spaces, heads) = (0, true);
            continue;
        }
        if sign.is_whitespace() {
            spaces += if sign == '\t' { 4 } else { 1 };
            continue;
        }
        let mut end = start + sign.len_utf8();
        let mut word = String::new();
        word.push(sign);
        let mut kind = Kind::Mark(sign);
        let first_line = line;
        if is_word_sign(sign) {
            kind = if sign.is_ascii_digit() { Kind::Number } else { Kind::Word };
            while let Some(&(at, next)) = signs.peek() {
                if is_word_sign(next) || matches!(next, '\u{ad}' | '\u{301}') {
                    if !next.is_ascii_digit() && is_word_sign(next) {
                        kind = Kind::Word;
                    }
                    if is_word_sign(next) {
                        word.push(next);
                    }
                    end = at + next.len_utf8();
                    signs.next();
                } else if is_hyphen(next) && kind == Kind::Word {
                    // A hyphen joins only letters; at the end of a line it is a break.
                    match after_hyphen(&text[at + next.len_utf8()..]) {
                        After::Letter => {
                            word.push('-');
                            signs.next();
                        }
                        After::Break(white) => {
                            let until = at + next.len_utf8() + white;
                            while signs.next_if(|(at, _)| *at < until).is_some() {}
                            line += 1;
                        }
                        After::Else => break,
                    }
                } else {
                    break;
                }
            }
        }
        let text = if kind == Kind::Word { mend_alphabet(&word) } else { word };
        let folded: Vec<char> = fold(&text).chars().collect();
        let capitals = is_capitals(&text);
        tokens.push(Token {
            capitals,
            text,
            fold: folded,
            kind,
            page,
            line: first_line,
            start,
            end,
            heads: heads || spaces >= 3,
            stems: OnceCell::new(),
            torn: false,
        });
        (spaces, heads) = (0, false);
    }
}

const fn is_hyphen(sign: char) -> bool {
    matches!(sign, '-' | '‐' | '‑' | '¬' | '\u{ad}' | '–')
}

enum After {
    /// The word goes on.
    Letter,
    /// The line ends; so many bytes until the word goes on in lower case (or capitals among them).
    Break(usize),
    Else,
}

fn after_hyphen(rest: &str) -> After {
    let Some(next) = rest.chars().next() else {
        return After::Else;
    };
    if next.is_alphabetic() {
        return After::Letter;
    }
    let white = rest.len() - rest.trim_start().len();
    let broken = rest[..white].contains('\n') && !rest[..white].contains("\n\n");
    if broken && rest[white..].chars().next().is_some_and(char::is_lowercase) {
        After::Break(white)
    } else {
        After::Else
    }
}
