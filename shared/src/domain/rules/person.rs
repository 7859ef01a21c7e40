//! Whose document it is: every name in the text, weighed by the words around it, names of one
//! person taken together.

use super::tokens::{Kind, Token};
use super::{found, quote, roles};
use crate::domain::letters::is_kazakh_only;
use crate::domain::names::{self, given_names, patronymic, surnames};
use crate::domain::page::Page;
use crate::domain::run::Found;

/// How a name is written, the fuller the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Initials,
    Two,
    Three,
}

/// A name in the text.
#[derive(Clone, Debug)]
struct Candidate {
    words: String,
    form: Form,
    first: usize,
    last: usize,
    weight: f32,
}

/// Names at or below this weight are signers, doctors, children, passers-by.
const THRESHOLD: f32 = 0.5;
/// Two persons this near in weight are equals, between whom the applicant's name may decide.
const EQUALS: f32 = 0.75;

pub(super) fn find(pages: &[Page], tokens: &[Token], applicant: &str) -> Option<Found<String>> {
    let candidates = candidates(tokens);
    let groups = group(&candidates);
    let best = groups.iter().map(|group| group.weight).fold(f32::MIN, f32::max);
    if best <= THRESHOLD {
        return None;
    }
    let equals: Vec<&Group> =
        groups.iter().filter(|group| best - group.weight <= EQUALS && group.weight > THRESHOLD).collect();
    let chosen = equals
        .iter()
        .find(|group| group.members.iter().any(|m| names::compare(applicant, &candidates[*m].words).same))
        .or_else(|| equals.iter().max_by(|a, b| a.weight.total_cmp(&b.weight).then(b.members[0].cmp(&a.members[0]))))?;
    let shown = chosen.members.iter().map(|m| &candidates[*m]).max_by(|a, b| {
        let rank = |c: &Candidate| (c.form, u8::from(!c.words.chars().any(is_kazakh_only)), c.weight > THRESHOLD);
        rank(a).cmp(&rank(b)).then(b.first.cmp(&a.first))
    })?;
    let value = names::nominative(&shown.words);
    Some(found(value, quote(pages, tokens, shown.first, shown.last)))
}

/// Names of one person.
struct Group {
    members: Vec<usize>,
    weight: f32,
}

fn group(candidates: &[Candidate]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Fuller names first, so that «Соколову Н.М.» joins «Соколов Никита Максимович».
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| candidates[*b].form.cmp(&candidates[*a].form).then(a.cmp(b)));
    for index in order {
        let candidate = &candidates[index];
        let home = groups.iter_mut().find(|group| {
            let head = &candidates[group.members[0]].words;
            names::compare(&names::nominative(head), &candidate.words).same
                || names::compare(&names::nominative(&candidate.words), head).same
        });
        match home {
            Some(group) => {
                group.weight = group.weight.max(candidate.weight) + if candidate.weight > 0.0 { 0.5 } else { 0.0 };
                group.members.push(index);
            }
            None => groups.push(Group { members: vec![index], weight: candidate.weight }),
        }
    }
    groups
}

/// A document names some dozens of people at most.
const MOST_CANDIDATES: usize = 60;

fn candidates(tokens: &[Token]) -> Vec<Candidate> {
    let mut out = labelled(tokens);
    let mut at = 0;
    while at < tokens.len() && out.len() < MOST_CANDIDATES {
        let Some((form, last)) = name_at(tokens, at) else {
            at += 1;
            continue;
        };
        let (form, text) = match (form, third_below(tokens, last)) {
            (Form::Two, Some(third)) => (Form::Three, format!("{} {}", words(tokens, at, last), tokens[third].text)),
            _ => (form, words(tokens, at, last)),
        };
        if !out.iter().any(|known: &Candidate| known.first <= last && at <= known.last) {
            let base = match form {
                Form::Three => 1.0,
                Form::Two => 0.3,
                Form::Initials => 0.0,
            };
            let weight = base + roles::weigh(tokens, at, last, form == Form::Initials);
            out.push(Candidate { words: text, form, first: at, last, weight });
        }
        at = last + 1;
    }
    out.sort_by_key(|candidate| candidate.first);
    out
}

fn words(tokens: &[Token], first: usize, last: usize) -> String {
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

/// Whether the token can be part of a name as it stands.
fn name_like(token: &Token) -> bool {
    token.is_word()
        && token.capital()
        && token.fold.len() >= 2
        && !token.text.chars().any(|c| c.is_ascii_digit())
        && !is_label(token)
        && !STOP.iter().any(|word| token.folds_to(word))
}

fn is_initial(token: &Token) -> bool {
    token.is_word() && token.capital() && (token.text.chars().count() == 1 || token.text == "Дж")
}

fn is_patronymic(token: &Token) -> bool {
    patronymic::parse(&token.text.to_lowercase()).is_some()
}

/// The name that begins at `at`, and its last token.
fn name_at(tokens: &[Token], at: usize) -> Option<(Form, usize)> {
    let token = &tokens[at];
    if is_initial(token) {
        return initials_first(tokens, at);
    }
    if !name_like(token) {
        return None;
    }
    let near = |index: usize| tokens.get(index).filter(|next| next.page == token.page && next.line <= token.line + 2);
    let (second, third) = (near(at + 1), near(at + 2));
    if let (Some(two), Some(three)) = (second, third)
        && name_like(two)
    {
        if name_like(three) && is_patronymic(three) && !is_patronymic(two) {
            return Some((Form::Three, at + 2));
        }
        if name_like(three) && is_patronymic(two) && looks_like_given(token) {
            return Some((Form::Three, at + 2));
        }
        // «Нұрлан Серік қызы».
        if name_like(three) && near(at + 3).is_some_and(|t| t.folds_to("кызы") || t.folds_to("улы")) {
            return Some((Form::Three, at + 3));
        }
    }
    surname_first(tokens, at).or_else(|| {
        let two = second.filter(|two| name_like(two) && two.line <= token.line + 1)?;
        two_words(token, two).then_some((Form::Two, at + 1))
    })
}

/// Two words are a name only where one is a known given name and the other can be a surname.
fn two_words(one: &Token, two: &Token) -> bool {
    let issued = one.folds_to("дана");
    (looks_like_given(two) && looks_like_surname(one)) || (!issued && looks_like_given(one) && looks_like_surname(two))
}

fn looks_like_given(token: &Token) -> bool {
    let word = token.text.to_lowercase();
    given_names::is_known(&word) || given_names::is_known(&names::given_nominative(&word))
}

fn looks_like_surname(token: &Token) -> bool {
    let word = token.text.to_lowercase();
    let typical = [
        "ов", "ев", "ин", "ын", "ова", "ева", "ина", "ына", "ский", "ская", "цкий", "цкая", "ову", "еву", "ину", "ой",
        "ым", "енко", "юк", "ук", "ян", "бай", "бек", "ұлы",
    ];
    typical.iter().any(|ending| word.ends_with(ending)) || surnames::is_known(&word) || given_names::is_known(&word)
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

/// Words of labels.
fn is_label(token: &Token) -> bool {
    ["фамилия", "имя", "отчество", "теги", "аты", "акесинин", "фио", "таа", "ф", "и"]
        .iter()
        .any(|word| token.folds_to(word) && word.len() > 2)
}

/// Capitalised words that are no names.
const STOP: &[&str] = &[
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
];

/// Values of the fields that forms have for names: one field for the whole, or one for each part.
fn labelled(tokens: &[Token]) -> Vec<Candidate> {
    let mut out = Vec::new();
    for at in 0..tokens.len() {
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
    } else if token.folds_to("ф") && tokens.get(at + 1)?.is('.') && word(at + 2)?.folds_to("и") {
        at + 5
    } else if token.folds_to("т") && tokens.get(at + 1)?.is('.') && word(at + 2)?.folds_to("а") {
        at + 5
    } else if token.folds_to("фамилия") || token.folds_to("теги") {
        // «Фамилия, имя, отчество»: the next word is another label.
        let next = (at + 1..at + 4).find(|i| word(*i).is_some())?;
        if !(tokens[next].folds_to("имя") || tokens[next].folds_to("аты"))
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
            name_like(t) && t.page == first.page && t.line <= first.line + 1 && !tokens[last + 1].is('.')
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
        && let Some(third) = third_below(tokens, last)
    {
        text = format!("{text} {}", tokens[third].text);
        form = Form::Three;
    }
    if form == Form::Two && !two_words(first, &tokens[last]) {
        return None;
    }
    let weight = if child { -5.0 } else { 6.0 + roles::weigh(tokens, at, last, false).min(0.0) };
    let weight = if !child && weight < 6.0 { weight.max(1.5) } else { weight };
    Some(Candidate { words: text, form, first: at, last, weight })
}

/// A patronymic at the head of a column on the line below: a table broke the name there.
fn third_below(tokens: &[Token], last: usize) -> Option<usize> {
    let above = &tokens[last];
    if is_patronymic(above) {
        return None;
    }
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

/// «Фамилия … Имя … Отчество …», each with its own value.
fn split_fields(tokens: &[Token]) -> Option<Candidate> {
    let value_after = |from: usize, labels: &[&str]| -> Option<usize> {
        let label = (from..tokens.len()).find(|i| labels.iter().any(|l| tokens[*i].folds_to(l)))?;
        let line = tokens[label].line;
        let mut at = label + 1;
        loop {
            let token = tokens.get(at).filter(|t| t.page == tokens[label].page && t.line <= line + 2)?;
            if token.is_word() && labels.iter().any(|l| token.folds_to(l))
                || token.is('/')
                || token.is(':')
                || token.is('|')
            {
                at += 1;
            } else {
                return name_like(token).then_some(at);
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
