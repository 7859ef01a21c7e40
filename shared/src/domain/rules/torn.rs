//! Words of the applicant's name that the reader has torn: «К, анатови ч» is Канатович. Nobody else's name can be
//! mended so, since nothing says where its words end; and of the applicant's only what cannot be meant otherwise: each
//! letter must be there, a word of its own is no piece, and another part of the name must stand beside.

use std::ops::RangeInclusive;

use super::name_words::{is_initial, is_label, is_patronymic, nearly_patronymic};
use super::tokens::{Kind, Token};
use crate::domain::letters::mend_alphabet;
use crate::domain::names::{self, Role, Written, given_names, patronymic, surnames};

/// Marks between a name and its patronymic, at most.
const MOST_SPECKS: usize = 3;

/// Pieces of one word, at most.
const MOST_PIECES: usize = 6;

/// The other part of the name is looked for so many tokens beside.
const FARTHEST: usize = 5;

/// Letters of a word, at most.
const MOST_LETTERS: usize = 24;

/// Whose word is put together: the applicant's, which must be beyond doubt, or anybody's patronymic, which tells that
/// somebody is another person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Applicants,
    Anybodys,
}

/// A word in pieces: its tokens, and what they make.
struct Torn {
    place: RangeInclusive<usize>,
    role: Role,
    text: String,
}

/// The tokens with the applicant's torn words made whole; none where there are none.
pub(super) fn mended(tokens: &[Token], applicant: &str) -> Option<Vec<Token>> {
    let name = Written::new(applicant)?;
    let whole: Vec<Option<Role>> =
        tokens.iter().map(|token| if may_begin(token) { name.part(&token.text) } else { None }).collect();
    let mut torn: Vec<Torn> = Vec::new();
    for at in 0..tokens.len() {
        let is_inside = torn.last().is_some_and(|word| word.place.contains(&at));
        if whole[at].is_none() && !is_inside && may_begin(&tokens[at]) {
            torn.extend(torn_at(tokens, at, &name));
        }
    }
    let beside = |word: &Torn| {
        let (first, last) = (*word.place.start(), *word.place.end());
        let neighbours = [outward(tokens, first, false), outward(tokens, last, true)].into_iter().flatten();
        let role_at = |at: usize| {
            let of_torn = torn.iter().find(|other| other.place.contains(&at)).map(|other| other.role);
            whole.get(at).copied().flatten().or(of_torn)
        };
        let near = |at: &usize| {
            tokens
                .get(*at)
                .is_some_and(|token| token.page == tokens[first].page && token.line.abs_diff(tokens[first].line) <= 1)
        };
        neighbours.filter(near).filter_map(role_at).any(|role| role != word.role)
    };
    let sure: Vec<&Torn> = torn.iter().filter(|word| beside(word)).collect();
    if sure.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        match sure.iter().find(|word| *word.place.start() == at) {
            Some(word) => {
                out.push(tokens[at].with_pieces(&tokens[*word.place.end()], word.text.clone()));
                at = *word.place.end() + 1;
            }
            None => {
                out.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    Some(out)
}

/// The word beside, labels of a form and marks passed over.
fn outward(tokens: &[Token], from: usize, forward: bool) -> Option<usize> {
    let step = |at: usize| if forward { Some(at + 1) } else { at.checked_sub(1) };
    let places = std::iter::successors(step(from), |at| step(*at)).take(FARTHEST);
    places.map_while(|at| tokens.get(at).map(|token| (at, token))).find_map(|(at, token)| {
        let passed = !token.is_word() && token.kind != Kind::Number || is_label(token);
        (!passed).then_some(at)
    })
}

fn may_begin(token: &Token) -> bool {
    token.is_word() && token.capital() && token.fold.len() <= MOST_LETTERS
}

/// A patronymic in pieces, behind a speck or of one letter, that follows a surname and a given name; with its last token. Of anybody:
/// a name that is read without it would be that of a person with another father too.
pub(super) fn patronymic_behind(tokens: &[Token], last: usize) -> Option<(String, usize)> {
    let speck = |token: &&Token| matches!(token.kind, Kind::Mark(mark) if is_speck(mark));
    let specks = tokens[last + 1..].iter().take(MOST_SPECKS).take_while(speck).count();
    let at = last + 1 + specks;
    let first = tokens.get(at).filter(|token| may_begin(token) && token.page == tokens[last].page)?;
    if first.line > tokens[last].line + 1 {
        return None;
    }
    // On the next line «Абрамович С.П.» is the surname of whoever signs.
    let beside = first.line == tokens[last].line;
    let signs = tokens.get(at + 1).is_some_and(is_initial);
    if beside && nearly_patronymic(first) || is_patronymic(first) && !signs {
        return Some((first.text.clone(), at));
    }
    let whole = pieces_from(tokens, at, Whose::Anybodys, |text, end| {
        let whole = first.with_pieces(&tokens[end], text.to_owned());
        nearly_patronymic(&whole).then(|| (text.to_owned(), end))
    });
    whole.or_else(|| {
        // «Каримов Аскар М.», but not the initials of whoever is named next.
        let behind = |at: usize| tokens.get(at).filter(|next| next.line == first.line && next.page == first.page);
        let ends = behind(at + 1).is_some_and(|dot| dot.is('.'))
            && !behind(at + 2).is_some_and(|next| next.is_word() && next.capital() && !next.heads);
        (is_initial(first) && specks == 0 && ends).then(|| (format!("{}.", first.text), at + 1))
    })
}

/// The shortest run of pieces from `at` on that makes a part of the name.
fn torn_at(tokens: &[Token], at: usize, name: &Written) -> Option<Torn> {
    let found =
        pieces_from(tokens, at, Whose::Applicants, |text, last| Some((name.part(text)?, text.to_owned(), last)));
    let (role, text, last) = found?;
    // A given name that goes over lines could leave behind a patronymic farther down, which is another's.
    let lines = tokens[last].line - tokens[at].line;
    if lines > usize::from(role != Role::Given) {
        return None;
    }
    let pieces: Vec<&str> =
        tokens[at..=last].iter().filter(|token| token.is_word()).map(|token| token.text.as_str()).collect();
    is_one_word(&pieces, role).then_some(Torn { place: at..=last, role, text })
}

/// What is made of the shortest run of pieces from `at` on of which something can be made.
fn pieces_from<T>(tokens: &[Token], at: usize, whose: Whose, make: impl Fn(&str, usize) -> Option<T>) -> Option<T> {
    let mut pieces: Vec<&str> = vec![&tokens[at].text];
    let specks = if whose == Whose::Applicants { 1 } else { MOST_SPECKS };
    let (mut marks, mut letters) = (0, tokens[at].fold.len());
    for (last, token) in tokens.iter().enumerate().skip(at + 1) {
        if token.page != tokens[at].page || token.line > tokens[last - 1].line + 1 {
            return None;
        }
        match token.kind {
            Kind::Mark(mark) if is_speck(mark) && marks < specks => marks += 1,
            Kind::Word if goes_on(tokens, at, last, whose) => {
                // «Канат қызы» are two words, and read as such.
                if token.folds_to("кызы") || token.folds_to("улы") {
                    return None;
                }
                marks = 0;
                letters += token.fold.len();
                pieces.push(&token.text);
                if pieces.len() > MOST_PIECES || letters > MOST_LETTERS {
                    return None;
                }
                let made = make(&mend_alphabet(&pieces.concat()), last);
                if made.is_some() {
                    return made;
                }
            }
            _ => return None,
        }
    }
    None
}

/// Marks that a reader makes of specks.
const fn is_speck(mark: char) -> bool {
    matches!(mark, ',' | '.' | '\'' | '’' | '‘' | '`' | '·' | '~' | '-' | '–' | '|' | '*' | '^' | '"')
}

/// Whether the piece at `next` may go on with the word that begins at `first`: in small letters, or in capitals as all
/// of it, where a single letter with a dot is an initial.
fn goes_on(tokens: &[Token], first: usize, next: usize, whose: Whose) -> bool {
    let capitals = |token: &Token| token.text.chars().all(char::is_uppercase);
    let small = tokens[next].text.chars().all(char::is_lowercase);
    let initial = |at: usize| tokens[at].fold.len() == 1 && tokens.get(at + 1).is_some_and(|mark| mark.is('.'));
    let all_capitals = (first..=next).filter(|at| tokens[*at].is_word()).all(|at| capitals(&tokens[at]));
    small || all_capitals && (whose == Whose::Anybodys || !(first..=next).any(initial))
}

/// Whether the pieces are nothing else: «Нуров а» may be a man and a conjunction, «НУРОВ А ЛИНА» Нуров Алина, «Жан на»
/// a name and a preposition.
fn is_one_word(pieces: &[&str], role: Role) -> bool {
    let [first, between @ .., last] = pieces else { return false };
    let last = last.to_lowercase();
    let without_last = [&[*first][..], between].concat().concat().to_lowercase();
    let without_first = [between, &[last.as_str()][..]].concat().concat().to_lowercase();
    if FUNCTION_WORDS.contains(&last.as_str()) && (role == Role::Given || stands_alone(&without_last)) {
        return false;
    }
    let in_capitals = pieces.iter().all(|piece| piece.chars().all(char::is_uppercase));
    let behind = without_first.as_str();
    !(in_capitals
        && (is_name(behind) || is_name(&last) || role == Role::Surname && patronymic::parse(behind).is_some()))
}

/// A name or a part of one as it stands.
fn stands_alone(word: &str) -> bool {
    const ENDINGS: &[&str] = &["ов", "ев", "ёв", "ин", "ын", "ский", "цкий", "ко", "ук", "юк", "ян", "бай", "бек"];
    is_name(word) || patronymic::parse(word).is_some() || ENDINGS.iter().any(|ending| word.ends_with(ending))
}

fn is_name(word: &str) -> bool {
    given_names::is_known(word) || given_names::is_known(&names::given_nominative(word)) || surnames::is_known(word)
}

/// Short words that stand between others: what looks like a torn-off ending may be one of them.
const FUNCTION_WORDS: &[&str] = &[
    "а", "в", "и", "к", "о", "с", "у", "я", "бы", "во", "да", "до", "же", "за", "из", "их", "ко", "ли", "на", "не",
    "ни", "но", "об", "он", "от", "по", "со", "та", "те", "то", "ту", "ты", "без", "вам", "для", "его", "или", "над",
    "она", "при", "про", "что", "эта", "мен", "бен", "пен", "бұл", "бул", "ол", "үш", "өз", "де", "да", "ма", "ме",
    "ба", "бе",
];
