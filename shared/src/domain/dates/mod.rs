//! Dates as documents print them, in Russian and Kazakh. Impossible dates are refused, never
//! mended by a guess; a letter that is drawn like a digit (О, З, l) is read as one.

mod lexer;
mod months;

use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use lexer::{Lexeme, Sign};

/// A date found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateCandidate {
    /// The day it names.
    pub date: NaiveDate,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// Years that a document may name: beyond them it is a number, not a year.
const YEARS: Range<i32> = 1900..2100;

/// Every possible date in `text`, in the order in which they stand.
#[must_use]
pub fn find(text: &str) -> Vec<DateCandidate> {
    let lexemes = lexer::lex(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < lexemes.len() {
        if let Some((date, used)) = date_at(&lexemes, at) {
            let span = lexemes[at].span.start..lexemes[at + used - 1].span.end;
            found.push(DateCandidate { date, span });
            at += used;
        } else {
            at += 1;
        }
    }
    found
}

/// The one date that `text` holds; none where it holds none or several.
#[must_use]
pub fn parse(text: &str) -> Option<NaiveDate> {
    let found = find(text);
    let first = found.first()?;
    found.iter().all(|candidate| candidate.date == first.date).then_some(first.date)
}

fn date_at(lexemes: &[Lexeme<'_>], at: usize) -> Option<(NaiveDate, usize)> {
    let reader = Reader { lexemes, at };
    // A number glued to the digits before it is part of a longer number (an account, an article).
    if at > 0 && lexemes[at].glued && matches!(lexemes[at - 1].sign, Sign::Mark('.' | '/')) {
        let before = at.checked_sub(2).map(|i| &lexemes[i]);
        if lexemes[at - 1].glued && before.is_some_and(|l| matches!(l.sign, Sign::Number { .. })) {
            return None;
        }
    }
    year_first(reader.clone())
        .or_else(|| year_spelled(reader.clone()))
        .or_else(|| spelled(reader.clone()))
        .or_else(|| numeric(reader.clone()))
        .or_else(|| dot_lost(reader.clone()))
        .or_else(|| month_first(reader))
        .map(|(date, end)| (date, end - at))
}

#[derive(Clone)]
struct Reader<'t, 's> {
    lexemes: &'s [Lexeme<'t>],
    at: usize,
}

impl Reader<'_, '_> {
    fn sign(&self) -> Option<Sign> {
        self.lexemes.get(self.at).map(|lexeme| lexeme.sign)
    }

    fn number(&mut self, digits: Range<usize>) -> Option<i32> {
        let Some(Sign::Number { value, digits: length }) = self.sign() else {
            return None;
        };
        digits.contains(&length).then(|| {
            self.at += 1;
            value
        })
    }

    fn month_word(&mut self) -> Option<u32> {
        let lexeme = self.lexemes.get(self.at)?;
        if lexeme.sign != Sign::Word {
            return None;
        }
        let month = months::month(lexeme.text)?;
        self.at += 1;
        Some(month)
    }

    fn word(&mut self, accept: impl Fn(&str) -> bool) -> bool {
        let Some(lexeme) = self.lexemes.get(self.at) else {
            return false;
        };
        let accepted = lexeme.sign == Sign::Word && accept(&super::letters::fold(lexeme.text));
        self.at += usize::from(accepted);
        accepted
    }

    fn mark(&mut self, accept: &[char]) -> Option<char> {
        let Some(Sign::Mark(mark)) = self.sign() else {
            return None;
        };
        accept.contains(&mark).then(|| {
            self.at += 1;
            mark
        })
    }

    fn marks(&mut self, accept: &[char]) {
        while self.mark(accept).is_some() {}
    }

    fn year(&mut self) -> Option<i32> {
        let value = self.number(4..5)?;
        YEARS.contains(&value).then_some(value)
    }

    fn any_year(&mut self) -> Option<i32> {
        self.clone().year().inspect(|_| self.at += 1).or_else(|| self.number(2..3).map(of_two_digits))
    }
}

/// Papers of this service are of this century; two digits beyond its next decades are a birth year.
fn of_two_digits(value: i32) -> i32 {
    if value < 40 { 2000 + value } else { 1900 + value }
}

const QUOTES: &[char] = &['«', '»', '"', '“', '”', '„', '\'', '<', '>', '(', ')', '_'];
const AROUND_MONTH: &[char] = &['.', ',', '_', '-', '«', '»', '"', '/'];

const SEPARATORS: &[char] = &['.', '/', '-', ',', '·', '•', '\'', '’', ':', '*'];
const DOT_LIKE: &[char] = &['·', '•', '\'', '’', ':', '*', ','];

type Read = Option<(NaiveDate, usize)>;

fn day(year: i32, month: u32, day: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, u32::try_from(day).ok()?).filter(|date| YEARS.contains(&date.year()))
}

/// `2023-12-04`, `2023.12.04`, `2023/12/04`.
fn year_first(mut read: Reader<'_, '_>) -> Read {
    let year = read.year()?;
    let separator = read.mark(&['-', '.', '/', '–'])?;
    let month = read.number(2..3)?;
    read.mark(&[separator])?;
    let date = day(year, u32::try_from(month).ok()?, read.number(2..3)?)?;
    Some((date, read.at))
}

/// `2023 жылғы 4 желтоқсан`, `2023 ж. «4» желтоқсан`.
fn year_spelled(mut read: Reader<'_, '_>) -> Read {
    let year = read.year()?;
    if !read.word(|word| word.starts_with("жыл") || word == "ж") {
        return None;
    }
    read.marks(&['.', '«', '»', '"', '“', '”', '_', '\'']);
    let number = read.number(1..3)?;
    read.marks(QUOTES);
    read.marks(&['-', '.']);
    let month = read.month_word()?;
    Some((day(year, month, number)?, read.at))
}

/// `«04» декабря 2023 г.`, `4 желтоқсан 2023 ж.`, `04 Dec 2023`, `04.дек.23`.
fn spelled(mut read: Reader<'_, '_>) -> Read {
    if read.mark(&['«', '"', '“', '„']).is_some() {
        read.marks(&['_']);
    }
    let number = read.number(1..3)?;
    read.marks(QUOTES);
    read.marks(AROUND_MONTH);
    let month = read.month_word()?;
    read.marks(AROUND_MONTH);
    let year = read.any_year()?;
    Some((day(year, month, number)?, finish(read)))
}

/// `04.12.2023`, `04/12/2023 жыл`, `04-12-2023`, `04. 12. 2023`, `4.12.23`.
fn numeric(mut read: Reader<'_, '_>) -> Read {
    if read.mark(&['«', '"', '“']).is_some() {
        read.marks(&['_']);
    }
    let number = read.number(1..3)?;
    read.marks(&['»', '"', '”', '_']);
    let separator = read.mark(SEPARATORS)?;
    let month = read.number(1..3)?;
    let second = read.mark(SEPARATORS)?;
    // A dot is often read as another small mark.
    let alike = separator == second && !DOT_LIKE.contains(&separator) || separator == '.' || second == '.';
    if !alike || (separator != second && (separator == '/' || second == '/')) {
        return None;
    }
    let long = read.clone().year().is_some();
    let year = if long { read.year()? } else { short_year(&mut read, separator)? };
    Some((day(year, u32::try_from(month).ok()?, number)?, finish(read)))
}

/// `0412.2023`, `04.122023`: one dot lost. With four digits of the year and a possible day and month
/// there is one way to read it.
fn dot_lost(mut read: Reader<'_, '_>) -> Read {
    let (number, month, year) = if let Some(both) = read.clone().number(4..5) {
        read.at += 1;
        read.mark(&['.'])?;
        (both / 100, both % 100, read.year()?)
    } else {
        let number = read.number(2..3)?;
        read.mark(&['.'])?;
        let rest = read.number(6..7)?;
        (number, rest / 10_000, rest % 10_000)
    };
    Some((day(year, u32::try_from(month).ok()?, number)?, finish(read)))
}

/// Two digits are a year only where the whole looks like a date: written with dots or slashes, with
/// nothing glued behind.
fn short_year(read: &mut Reader<'_, '_>, separator: char) -> Option<i32> {
    let year = of_two_digits(read.number(2..3)?);
    let next = read.lexemes.get(read.at);
    let goes_on = next.is_some_and(|lexeme| lexeme.glued && matches!(lexeme.sign, Sign::Mark('.' | '/' | ',' | '-')))
        && read.lexemes.get(read.at + 1).is_some_and(|l| l.glued && matches!(l.sign, Sign::Number { .. }));
    (!goes_on && matches!(separator, '.' | '/' | '-')).then_some(year)
}

/// `Dec 4, 2023`.
fn month_first(mut read: Reader<'_, '_>) -> Read {
    if !read.lexemes.get(read.at)?.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let month = read.month_word()?;
    read.marks(&['.']);
    let number = read.number(1..3)?;
    read.marks(&[',']);
    let year = read.year()?;
    Some((day(year, month, number)?, read.at))
}

/// «г.», «года», «ж.», «жыл» belong to the date.
fn finish(mut read: Reader<'_, '_>) -> usize {
    if read.word(|word| matches!(word, "г" | "год" | "года" | "ж" | "жыл" | "жылы" | "жылғы" | "жылгы"))
    {
        read.mark(&['.']);
    }
    read.at
}

#[cfg(test)]
mod tests;
