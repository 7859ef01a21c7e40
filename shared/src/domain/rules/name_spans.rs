//! Where a name begins and ends in the text.

use super::name_words::{
    is_dana, is_initial, is_patronymic, looks_like_given, looks_like_surname, name_like, nearly_patronymic,
};
use super::tokens::{Kind, Token};

/// How a name is written, the fuller the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Surname and initials.
    Initials,
    /// Surname and given name.
    Two,
    /// With the patronymic.
    Three,
}

/// The name that begins at `at`, and its last token.
pub(super) fn name_at(tokens: &[Token], at: usize) -> Option<(Form, usize)> {
    let token = &tokens[at];
    if is_initial(token) {
        return initials_first(tokens, at);
    }
    if let Some(last) = three_at(tokens, at) {
        return Some((Form::Three, last));
    }
    if !name_like(token) {
        return None;
    }
    surname_first(tokens, at).or_else(|| {
        let dana = |two: &Token| is_dana(two) && two.line == token.line && looks_like_surname(token);
        let two = near(tokens, at, 1).filter(|two| (name_like(two) || dana(two)) && two.line <= token.line + 1)?;
        // «Уважаемый Орлов Ян Ильич»: the name begins one word later.
        let fits = two_words(token, two) || given_and_another(token, two);
        (fits && three_at(tokens, at + 1).is_none()).then_some((Form::Two, at + 1))
    })
}

/// The token `offset` further on the same page, at most two lines below.
fn near(tokens: &[Token], at: usize, offset: usize) -> Option<&Token> {
    let token = &tokens[at];
    tokens.get(at + offset).filter(|next| next.page == token.page && next.line <= token.line + 2)
}

/// The last token of a name with a patronymic that begins at `at`: surname first or last.
fn three_at(tokens: &[Token], at: usize) -> Option<usize> {
    let (two, three) = (near(tokens, at, 1)?, near(tokens, at, 2)?);
    let token = &tokens[at];
    if is_dana(token) && is_patronymic(two) && name_like(two) && name_like(three) {
        return Some(at + 2);
    }
    if !name_like(token) || !(name_like(two) || is_dana(two)) || !name_like(three) {
        return None;
    }
    // «Нұрлан Серік қызы».
    if near(tokens, at, 3).is_some_and(|t| t.folds_to("кызы") || t.folds_to("улы")) {
        return Some(at + 3);
    }
    let surname_last = is_patronymic(two) && looks_like_given(token);
    let surname_first = !is_patronymic(two)
        && (is_patronymic(three) || three.line == two.line && nearly_patronymic(three) && two_words(token, two));
    (surname_last || surname_first).then_some(at + 2)
}

pub(super) fn words(tokens: &[Token], first: usize, last: usize) -> String {
    let mut out = String::new();
    for token in &tokens[first..=last] {
        match token.kind {
            Kind::Mark('.') => out.push('.'),
            Kind::Mark('-' | '–') => out.push('-'),
            Kind::Mark(_) => {}
            _ => {
                if !out.is_empty() && !out.ends_with('-') {
                    out.push(' ');
                }
                out.push_str(&token.text);
            }
        }
    }
    out
}

/// Two words are a name only where one is a known given name and the other can be a surname.
pub(super) fn two_words(one: &Token, two: &Token) -> bool {
    let issued = one.folds_to("дана");
    (looks_like_given(two) && looks_like_surname(one)) || (!issued && looks_like_given(one) && looks_like_surname(two))
}

/// A known given name beside a word of which nothing else is known.
fn given_and_another(one: &Token, two: &Token) -> bool {
    let enough = one.fold.len() >= 3 && two.fold.len() >= 3 && one.line == two.line;
    enough && (looks_like_given(two) || looks_like_given(one)) && one.all_capitals() == two.all_capitals()
}

/// `Соколову Н.М.`, `Мусину А.`.
fn surname_first(tokens: &[Token], at: usize) -> Option<(Form, usize)> {
    let line = tokens[at].line;
    let near = |index: usize| tokens.get(index).filter(|t| t.page == tokens[at].page && t.line <= line + 1);
    if !is_initial(near(at + 1)?) || !near(at + 2)?.is('.') {
        return None;
    }
    let mut last = at + 2;
    if near(last + 1).is_some_and(is_initial) && near(last + 2).is_some_and(|t| t.is('.')) {
        last += 2;
    } else if near(last + 1).is_some_and(name_like) && near(last + 2).is_some_and(is_patronymic) {
        // «КАРИМОВ А. АСКАР КАНАТОВНА»: the letter is the surname's torn ending, and tells of another person.
        return None;
    }
    // «Есепші Н.П. Шульцпен»: the word before the initials is a post, the surname stands behind.
    let behind = near(last + 1).filter(|next| next.line == line && !next.heads && name_like(next));
    if behind.is_some_and(|next| looks_like_surname(next) || !looks_like_surname(&tokens[at]))
        && !looks_like_surname(&tokens[at])
    {
        return None;
    }
    Some((Form::Initials, last))
}

/// `Н.М. Соколов`, `А. Мусин`.
fn initials_first(tokens: &[Token], at: usize) -> Option<(Form, usize)> {
    let near = |index: usize| tokens.get(index).filter(|t| t.page == tokens[at].page && t.line <= tokens[at].line + 1);
    let mut next = at + 1;
    if !near(next)?.is('.') {
        return None;
    }
    next += 1;
    if near(next).is_some_and(is_initial) && near(next + 1).is_some_and(|t| t.is('.')) {
        next += 2;
    }
    let surname = near(next)?;
    (name_like(surname) && surname.fold.len() >= 2).then_some((Form::Initials, next))
}
