//! Values of the fields that forms have for names: one field for the whole, or one for each part.

use super::name_spans::{Form, name_at, two_words, words};
use super::name_words::{is_dana, is_label, is_patronymic, is_the_label, name_like};
use super::person::Candidate;
use super::tokens::{Kind, Token};
use super::{roles, torn};

/// A bound for texts that are no documents.
const MOST_FIELDS: usize = 20;

/// Values of the fields that forms have for names: one field for the whole, or one for each part.
pub(super) fn labelled(tokens: &[Token]) -> Vec<Candidate> {
    let mut out = Vec::new();
    for at in 0..tokens.len() {
        if out.len() >= MOST_FIELDS {
            break;
        }
        if let Some((value, child)) = whole_field(tokens, at)
            && let Some(candidate) = field_value(tokens, value, child)
            && !out.iter().any(|known: &Candidate| known.first == candidate.first)
        {
            out.push(candidate);
        }
    }
    out.extend(split_fields(tokens));
    out
}

/// The index after a label that asks for a full name, and whether it asks for a child's.
fn whole_field(tokens: &[Token], at: usize) -> Option<(usize, bool)> {
    let token = &tokens[at];
    let page = token.page;
    let word = |index: usize| tokens.get(index).filter(|t| t.page == page && t.is_word());
    let mut end = if token.folds_to("фио") || token.folds_to("таа") {
        at + 1
    } else if ["ф", "т"].iter().any(|letter| token.folds_to(letter)) && tokens.get(at + 1)?.is('.') {
        // «Ф.И.О.», «Т.А.Ә.».
        let second = word(at + 2)?;
        if !(second.folds_to("и") || second.folds_to("а")) {
            return None;
        }
        at + 5
    } else if is_the_label(token, "фамилия") || is_the_label(token, "теги") {
        // «Фамилия, имя, отчество»: the next word is another label.
        let next = (at + 1..at + 4).find(|i| word(*i).is_some())?;
        if !(is_the_label(&tokens[next], "имя") || is_the_label(&tokens[next], "аты"))
            || tokens[next].line != token.line
            || !tokens[next - 1].is(',')
        {
            return None;
        }
        next + 1
    } else {
        return None;
    };
    let mut child = false;
    // The rest of the label: more label words, «пациента», «больного ребенка», the other language.
    while let Some(next) = tokens.get(end).filter(|t| t.page == page && end < at + 24) {
        let text = next.folded();
        child |= text.starts_with("ребен") || text.starts_with("бала");
        if next.is_word() && (is_label(next) || !next.capital())
            || !next.is_word() && next.kind != Kind::Number && !next.is('_')
        {
            end += 1;
        } else {
            break;
        }
    }
    Some((end, child))
}

/// Two or three words of a name at `at`; a third on the next line where a table broke it.
fn field_value(tokens: &[Token], at: usize, child: bool) -> Option<Candidate> {
    let first = tokens.get(at).filter(|t| name_like(t))?;
    let mut last = at;
    while last < at + 2
        && tokens.get(last + 1).is_some_and(|t| {
            (name_like(t) || is_dana(t))
                && t.page == first.page
                && t.line <= first.line + 1
                && !tokens[last + 1].is('.')
        })
    {
        if tokens[last + 1].line != tokens[last].line && last > at && !is_patronymic(&tokens[last + 1]) {
            break;
        }
        last += 1;
    }
    let mut text = words(tokens, at, last);
    let mut form = match last - at {
        0 => {
            let (form, end) = name_at(tokens, at).filter(|(form, _)| *form == Form::Initials)?;
            last = end;
            text = words(tokens, at, last);
            form
        }
        1 => Form::Two,
        _ => Form::Three,
    };
    if form == Form::Two
        && let Some((third, end)) = third(tokens, last)
    {
        text = format!("{text} {third}");
        form = Form::Three;
        last = end;
    }
    if form == Form::Two && !two_words(first, &tokens[last]) {
        return None;
    }
    let weight = if child { -5.0 } else { 6.0 + roles::weigh(tokens, at, last, false).min(0.0) };
    let weight = if !child && weight < 6.0 { weight.max(1.5) } else { weight };
    Some(Candidate { words: text, form, first: at, last, weight })
}

/// The patronymic of a name of which two words were read, and where the name ends then: in pieces behind them, or at the
/// head of a column on the line below.
pub(super) fn third(tokens: &[Token], last: usize) -> Option<(String, usize)> {
    if is_patronymic(&tokens[last]) {
        return None;
    }
    let below = || third_below(tokens, last).map(|at| (tokens[at].text.clone(), last));
    torn::patronymic_behind(tokens, last).or_else(below)
}

/// A patronymic at the head of a column on the line below: a table broke the name there.
fn third_below(tokens: &[Token], last: usize) -> Option<usize> {
    let above = &tokens[last];
    let capitals = above.all_capitals();
    (last + 1..tokens.len().min(last + 16))
        .take_while(|i| tokens[*i].line <= above.line + 1 && tokens[*i].page == above.page)
        .find(|i| {
            let token = &tokens[*i];
            token.line == above.line + 1
                && token.heads
                && name_like(token)
                && is_patronymic(token)
                && token.all_capitals() == capitals
        })
}

/// Marks between a label and its value, a table's frame read as such among them; a dash is a field left empty.
fn is_scrap(token: &Token) -> bool {
    !token.is_word() && token.kind != Kind::Number && !['_', '-', '–', '—'].iter().any(|mark| token.is(*mark))
}

/// «Фамилия … Имя … Отчество …», each with its own value.
fn split_fields(tokens: &[Token]) -> Option<Candidate> {
    let value_after = |from: usize, labels: &[&str]| -> Option<usize> {
        let label = (from..tokens.len()).find(|i| labels.iter().any(|l| is_the_label(&tokens[*i], l)))?;
        let line = tokens[label].line;
        let mut at = label + 1;
        loop {
            let token = tokens.get(at).filter(|t| t.page == tokens[label].page && t.line <= line + 2)?;
            if token.is_word() && labels.iter().any(|l| is_the_label(token, l)) || is_scrap(token) {
                at += 1;
            } else {
                return (name_like(token) || is_dana(token)).then_some(at);
            }
        }
    };
    let surname = value_after(0, &["фамилия"]).or_else(|| value_after(0, &["теги"]))?;
    let given = value_after(surname, &["имя"]).or_else(|| value_after(surname, &["аты"]))?;
    if given - surname > 12 {
        return None;
    }
    let father = value_after(given, &["отчество"])
        .or_else(|| value_after(given, &["аты"]))
        .filter(|at| at - given <= 16 && *at > given);
    let mut text = format!("{} {}", tokens[surname].text, tokens[given].text);
    let mut last = given;
    if let Some(father) = father {
        // A scrap of the frame may stand before the patronymic.
        let father = (father..tokens.len().min(father + 3)).find(|at| is_patronymic(&tokens[*at])).unwrap_or(father);
        text = format!("{text} {}", tokens[father].text);
        last = father;
    }
    let form = if father.is_some() { Form::Three } else { Form::Two };
    Some(Candidate { words: text, form, first: surname, last, weight: 7.0 })
}
