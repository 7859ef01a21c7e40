//! Whose document it is: every name in the text, weighed by the words around it, names of one
//! person taken together.

use super::name_fields::{labelled, third};
use super::name_spans::{Form, name_at, two_words, words};
use super::tokens::Token;
use super::{found, quote, roles, torn};
use crate::domain::letters::is_kazakh_only;
use crate::domain::names;
use crate::domain::page::Page;
use crate::domain::run::Found;

/// A name in the text.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// As it stands.
    pub words: String,
    pub form: Form,
    /// First and last token.
    pub first: usize,
    pub last: usize,
    /// How much it looks like the document's person.
    pub weight: f32,
}

/// Names at or below this weight are signers, doctors, children, passers-by.
const THRESHOLD: f32 = 1.0;
/// Two persons this near in weight are equals, between whom the applicant's name may decide.
const EQUALS: f32 = 0.75;

/// The document's person.
pub(super) struct Person {
    pub name: Found<String>,
    /// Misread letters of the name, or torn words, were mended by the applicant's.
    pub mended: bool,
    /// Indexes of the pages that are about somebody else.
    pub others_pages: Vec<usize>,
}

/// Whose document it is.
pub(super) fn find(pages: &[Page], tokens: &[Token], applicant: &str) -> Option<Person> {
    let mended = torn::mended(tokens, applicant);
    let tokens = mended.as_deref().unwrap_or(tokens);
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
    let mended = names::mend(applicant, &value);
    let is_mended = mended.is_some() || tokens[shown.first..=shown.last].iter().any(|token| token.torn);
    let of_group = |group: &Group, page: usize| group.members.iter().any(|m| tokens[candidates[*m].first].page == page);
    let others_pages = (0..pages.len()).filter(|page| {
        let other = |group: &&Group| group.weight > THRESHOLD && group.is_full && !std::ptr::eq(*group, *chosen);
        !of_group(chosen, *page) && groups.iter().filter(other).any(|group| of_group(group, *page))
    });
    Some(Person {
        others_pages: others_pages.collect(),
        name: found(mended.unwrap_or(value), quote(pages, tokens, shown.first, shown.last)),
        mended: is_mended,
    })
}

/// Names of one person.
pub(super) struct Group {
    /// Indexes of the names.
    pub members: Vec<usize>,
    /// How much the person looks like the document's.
    pub weight: f32,
    /// The fullest name in the nominative.
    nominative: String,
    /// With the patronymic.
    pub is_full: bool,
}

/// The names by person.
pub(super) fn group(candidates: &[Candidate]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    // Fuller names first, so that «Соколову Н.М.» joins «Соколов Никита Максимович».
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|a, b| candidates[*b].form.cmp(&candidates[*a].form).then(a.cmp(b)));
    for index in order {
        let candidate = &candidates[index];
        let nominative = names::nominative(&candidate.words);
        let home = groups.iter_mut().find(|group| {
            names::compare(&group.nominative, &candidate.words).same
                || names::compare(&nominative, &candidates[group.members[0]].words).same
        });
        match home {
            Some(group) => {
                group.weight = group.weight.max(candidate.weight) + if candidate.weight > 0.0 { 0.5 } else { 0.0 };
                group.members.push(index);
            }
            None => {
                let is_full = candidate.form == Form::Three;
                groups.push(Group { members: vec![index], weight: candidate.weight, nominative, is_full });
            }
        }
    }
    groups
}

/// A document names some dozens of people at most.
const MOST_CANDIDATES: usize = 40;

/// Every name in the text, weighed.
pub(super) fn candidates(tokens: &[Token]) -> Vec<Candidate> {
    let mut out = labelled(tokens);
    let mut at = 0;
    while at < tokens.len() && out.len() < MOST_CANDIDATES {
        let Some((form, last)) = name_at(tokens, at) else {
            at += 1;
            continue;
        };
        let two = last;
        let text = words(tokens, at, two);
        let third = if form == Form::Two { third(tokens, two) } else { None };
        let (form, text, last) = match third {
            Some((third, end)) => (Form::Three, format!("{text} {third}"), end),
            None => (form, text, last),
        };
        if !out.iter().any(|known: &Candidate| known.first <= last && at <= known.last) {
            let base = match form {
                Form::Three => 1.0,
                // Nothing but its place says that the other word is a surname.
                Form::Two if !two_words(&tokens[at], &tokens[two]) => -1.2,
                Form::Two => 0.3,
                Form::Initials => 0.0,
            };
            let heading = if form == Form::Three && heads_page(tokens, at, last) { 0.5 } else { 0.0 };
            let weight = base + heading + roles::weigh(tokens, at, last, form == Form::Initials);
            out.push(Candidate { words: text, form, first: at, last, weight });
        }
        at = last + 1;
    }
    out.sort_by_key(|candidate| candidate.first);
    out
}

/// A full name on a line of its own, high on the page, is whose paper it is (a CV, an identity card).
fn heads_page(tokens: &[Token], first: usize, last: usize) -> bool {
    let (page, line) = (tokens[first].page, tokens[last].line);
    let starts = first == 0 || tokens[first - 1].page != page || tokens[first - 1].line < tokens[first].line;
    let ends = tokens.get(last + 1).is_none_or(|next| next.page != page || next.line > line);
    starts && ends && line < 12
}
