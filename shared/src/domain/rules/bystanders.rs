//! People whom a document names although it is not theirs: who signed it, a doctor, a child, a witness. What rules
//! are certain of here, another reader cannot say otherwise.

use super::name_spans::Form;
use super::person::{candidates, group};
use super::tokens::Token;
use crate::domain::names;

/// A person at or below this weight stands behind words of another part, with little beside them.
const ANOTHERS_PART: f32 = -1.0;
/// A person at or below this weight stands in no words of the document's person, …
const IN_PASSING: f32 = 0.0;
/// … and is not the document's where somebody else has this much: a label, or a verb of what the paper is for.
const SURELY_THEIRS: f32 = 4.0;

/// Whether the person of this name stands in the text, and only as somebody whose document it is not.
///
/// A name that the text may hold once more, where it was not recognised as one, is not certain: only names as full as
/// this one count.
pub(super) fn is_one(tokens: &[Token], name: &str) -> bool {
    let candidates = candidates(tokens);
    let wanted = form(name);
    let (theirs, others): (Vec<_>, Vec<_>) = group(&candidates)
        .into_iter()
        .partition(|group| group.members.iter().any(|member| names::compare(name, &candidates[*member].words).same));
    let stands_there = theirs.iter().flat_map(|group| &group.members).any(|member| candidates[*member].form >= wanted);
    let weight = theirs.iter().map(|group| group.weight).fold(f32::MIN, f32::max);
    let is_anothers = others.iter().any(|group| group.is_full && group.weight >= SURELY_THEIRS);
    stands_there && (weight <= ANOTHERS_PART || weight <= IN_PASSING && is_anothers)
}

fn form(name: &str) -> Form {
    match name.split_whitespace().filter(|word| !word.contains('.') && word.chars().count() > 1).count() {
        0 | 1 => Form::Initials,
        2 => Form::Two,
        _ => Form::Three,
    }
}
