//! Numbers, words and marks of a text, for the date forms.

use std::ops::Range;

use super::super::letters::is_word_sign;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Number { value: i32, digits: usize },
    Word,
    Mark(char),
}

#[derive(Clone, Debug)]
pub(super) struct Lexeme<'t> {
    pub(super) text: &'t str,
    pub(super) span: Range<usize>,
    pub(super) sign: Sign,
    /// No white space before it.
    pub(super) glued: bool,
}

/// The digit that a sign is, or is drawn like.
const fn digit(sign: char) -> Option<i32> {
    Some(match sign {
        '0'..='9' => sign as i32 - '0' as i32,
        'О' | 'о' | 'O' | 'o' => 0,
        'З' | 'з' => 3,
        'l' | 'I' | 'І' | '|' => 1,
        'б' => 6,
        _ => return None,
    })
}

pub(super) fn lex(text: &str) -> Vec<Lexeme<'_>> {
    let mut lexemes = Vec::new();
    let mut signs = text.char_indices().peekable();
    let mut glued = false;
    while let Some(&(start, sign)) = signs.peek() {
        if sign.is_whitespace() {
            signs.next();
            glued = false;
            continue;
        }
        let mut end = start + sign.len_utf8();
        signs.next();
        if is_word_sign(sign) || sign == '|' {
            let numeric = sign.is_ascii_digit();
            while let Some(&(at, next)) = signs.peek() {
                // «4желтоқсан», «2023г.»: digits end where a letter that is no digit begins.
                let goes_on = is_word_sign(next) && (!numeric || digit(next).is_some() || next.is_ascii_digit());
                if !goes_on {
                    break;
                }
                end = at + next.len_utf8();
                signs.next();
            }
            push_word(text, start..end, glued, &mut lexemes);
        } else {
            lexemes.push(Lexeme { text: &text[start..end], span: start..end, sign: Sign::Mark(sign), glued });
        }
        glued = true;
    }
    lexemes
}

fn push_word<'t>(text: &'t str, span: Range<usize>, glued: bool, lexemes: &mut Vec<Lexeme<'t>>) {
    let word = &text[span.clone()];
    let sign = number(word).unwrap_or(Sign::Word);
    lexemes.push(Lexeme { text: word, span, sign, glued });
}

/// A number of at most eight digits; at least half of its signs must be real digits, so that «Ол» or
/// «l» alone is none.
fn number(word: &str) -> Option<Sign> {
    let (mut value, mut digits, mut real) = (0i32, 0usize, 0usize);
    for sign in word.chars() {
        value = value.checked_mul(10)?.checked_add(digit(sign)?)?;
        digits += 1;
        real += usize::from(sign.is_ascii_digit());
    }
    (digits <= 8 && real * 2 >= digits && real > 0).then_some(Sign::Number { value, digits })
}
