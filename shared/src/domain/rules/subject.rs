//! What a title says it is about: «О расторжении …», «… беру туралы». The lines below a title speak of many
//! things, and none of them is its subject.

use std::sync::LazyLock;

use super::tokens::Token;
use crate::domain::doc_types::Genre;
use crate::domain::letters::{fold, prefix_distance};

/// Where the words end with which a title says what it is about («О …», «… туралы»): what the lines below it
/// speak of is no part of it. None where it does not say it in such words.
pub(super) fn subject_end(tokens: &[Token], index: usize, end: usize, genre: Genre) -> Option<usize> {
    if !matches!(genre, Genre::Order | Genre::Certificate | Genre::Notification | Genre::Conclusion) {
        return None;
    }
    let line = tokens[index].line;
    if let Some(about) = tokens[index..end].iter().rposition(|t| t.folds_to("туралы")) {
        return Some(index + about + 1);
    }
    let first_word = (index + 1..end).find(|at| tokens[*at].is_word());
    let opens = |at: usize| {
        let (token, next) = (&tokens[at], tokens.get(at + 1).filter(|next| next.is_word()));
        let is = |words: &[&str]| words.iter().any(|word| token.folds_to(word));
        // Not the last letter of a number («№ 61-о»); «С» may be a misread «О».
        let numbered = tokens[at - 1].end == token.start && tokens[at - 1].page == token.page;
        let word = is(&["о", "об", "обо"])
            || is(&["с", "по"]) && next.is_some() && (token.line <= line + 1 || Some(at) == first_word)
            || is(&["с"]) && next.is_some_and(|next| next.fold.ends_with(&['и', 'и']));
        word && !numbered && (token.heads && token.line > line || Some(at) == first_word)
    };
    let about = (index + 1..end).find(|at| opens(*at))?;
    let capitals = tokens.get(about + 1).is_some_and(Token::all_capitals);
    let mut last_line = tokens[about].line;
    for (at, token) in tokens.iter().enumerate().take(end).skip(about + 1) {
        if token.line == last_line {
            // The other column of the line.
            if token.heads {
                return Some(at);
            }
            continue;
        }
        let goes_on = token.is_word() && (!token.capital() || capitals && token.all_capitals());
        if !goes_on {
            return (at > about + 2).then_some(at);
        }
        last_line = token.line;
    }
    Some(end)
}

/// Whether the subject leaves open which leave it is about: then the text says it.
pub(super) fn is_vague(tokens: &[Token], index: usize, end: usize) -> bool {
    let mut words = tokens[index + 1..end].iter().filter(|t| t.is_word() && t.fold.len() > 2).peekable();
    words.peek().is_some()
        && words.all(|t| VAGUE.iter().any(|word| t.fold == *word || prefix_distance(word, &t.fold, 2).is_some()))
}

static VAGUE: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| {
    ["предоставл", "отпуск", "демалыс", "беру", "туралы", "личному", "составу"]
        .map(|word| fold(word).chars().collect())
        .to_vec()
});

/// Whether the title says what the paper is about («Справка о …», «… с места работы»), so that the
/// text need not be asked.
pub(super) fn names_a_subject(tokens: &[Token], index: usize, end: usize) -> bool {
    let line = tokens[index].line;
    let about = |t: &Token| ["о", "об", "обо", "с", "по"].iter().any(|word| t.folds_to(word));
    let same_line = tokens[index + 1..end].iter().find(|t| t.is_word()).is_some_and(|t| t.line == line && about(t));
    let later = tokens[index + 1..end].iter().any(|t| {
        t.line > line && t.heads && (t.folds_to("о") || t.folds_to("об")) && t.capital()
            || t.line > line && t.heads && t.line == line + 1 && about(t)
    });
    let kazakh = tokens[index + 1..end].iter().any(|t| t.folds_to("туралы"));
    same_line || later || kazakh
}
