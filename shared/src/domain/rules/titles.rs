//! The type of a document from its title: the kind of paper (приказ, бұйрық, справка, анықтама …)
//! and what the lines around it say; where the title is the bare kind of paper, from the text.

use std::sync::LazyLock;

use super::stems::{self, COMPILED, Place};
use super::subject::{is_vague, names_a_subject, subject_end};
use super::tokens::Token;
use super::word_list::WordList;
use super::{found, quote};
use crate::domain::doc_types::{DOC_TYPES, DocType, Genre};
use crate::domain::doc_wordings::OTHER_PAPERS;
use crate::domain::letters::{distance, fold};
use crate::domain::page::Page;
use crate::domain::run::Classification;

/// A heading and what it names.
#[derive(Clone, Copy, Debug)]
struct Title {
    what: What,
    place: Place,
    page: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// One of [`DOC_TYPES`], by index.
    Known(usize),
    /// Another paper, by what its title says.
    Other,
    /// Another paper, by a title of [`OTHER_PAPERS`].
    Foreign,
    /// The bare kind of paper.
    Bare(Genre),
    /// The words of a type, by index, high on a page without a heading: too little to say that it is
    /// of this type, enough to say that it is no annex of another.
    Hint(usize),
}

/// Kinds of paper by the words that head them. A Kazakh title often ends with its kind.
const GENRES: &[(&str, Genre)] = &[
    ("приказ", Genre::Order),
    ("распоряжение", Genre::Order),
    ("бұйрық", Genre::Order),
    ("бұйрығы", Genre::Order),
    ("өкім", Genre::Order),
    ("справка", Genre::Certificate),
    ("анықтама", Genre::Certificate),
    ("анықтамасы", Genre::Certificate),
    ("выписка", Genre::Discharge),
    ("выписной", Genre::Discharge),
    ("эпикриз", Genre::Discharge),
    ("эпикризі", Genre::Discharge),
    ("көшірме", Genre::Discharge),
    ("лист", Genre::SickSheet),
    ("листок", Genre::SickSheet),
    ("больничный", Genre::SickSheet),
    ("парағы", Genre::SickSheet),
    ("парақ", Genre::SickSheet),
    ("қағазы", Genre::SickSheet),
    ("заключение", Genre::Conclusion),
    ("қорытындысы", Genre::Conclusion),
    ("қорытынды", Genre::Conclusion),
    ("уведомление", Genre::Notification),
    ("извещение", Genre::Notification),
    ("хабарлама", Genre::Notification),
    ("лица", Genre::Statement),
    ("сведения", Genre::Statement),
    ("адамдар", Genre::Statement),
    ("тұлғалар", Genre::Statement),
];

pub(super) fn classify(pages: &[Page], tokens: &[Token]) -> Classification {
    let titles = titles(pages, tokens);
    let mut known: Vec<Title> = Vec::new();
    for title in &titles {
        if let What::Known(_) = title.what
            && !known.iter().any(|other| other.what == title.what)
        {
            known.push(*title);
        }
    }
    let others_apart = titles.iter().any(|title| {
        matches!(title.what, What::Other | What::Foreign)
            && titles.iter().filter(|t| matches!(t.what, What::Known(_))).all(|t| apart(tokens, t, title))
    });
    let hinted = titles.iter().any(|title| match title.what {
        What::Hint(number) => !titles.iter().any(|t| t.what == What::Known(number)),
        _ => false,
    });
    match known.as_slice() {
        [] => Classification { single_doc_type: true, doc_type: None, disputed: false },
        [title] if !others_apart && !hinted => {
            let What::Known(index) = title.what else {
                return Classification::default();
            };
            let place = quote(pages, tokens, title.place.first, title.place.last);
            Classification { single_doc_type: true, doc_type: Some(found(&DOC_TYPES[index], place)), disputed: false }
        }
        _ => Classification { single_doc_type: false, doc_type: None, disputed: false },
    }
}

/// Whether all words of one topic of the type stand near each other somewhere.
pub(super) fn speaks_of(tokens: &[Token], doc_type: &DocType) -> bool {
    let known = DOC_TYPES.iter().position(|known| known.title == doc_type.title);
    known.is_some_and(|index| {
        let topics = &COMPILED.types[index];
        topics
            .title
            .iter()
            .chain(&topics.body)
            .any(|topic| stems::find(tokens, 0, tokens.len(), topic, GAP_OF_TOPIC).is_some())
    })
}

/// Words between two of a topic, at most, where the text as a whole is looked at.
const GAP_OF_TOPIC: usize = 8;

/// Another paper's title belongs to another paper when it stands on another page, or in capitals far
/// below: a name of a paper near the title or in the text is only a mention.
fn apart(tokens: &[Token], known: &Title, other: &Title) -> bool {
    let (one, two) = (&tokens[known.place.first], &tokens[other.place.first]);
    // A paper that begins with such a title is that paper, whatever stands below.
    let above = other.what == What::Foreign && two.line < one.line;
    known.page != other.page || above || (two.line >= one.line + 6 && two.all_capitals() && genre_of(two).is_some())
}

/// Every heading of the pages, in order. A bare one takes its type from the text that follows, up to
/// the next page that has a heading of its own.
fn titles(pages: &[Page], tokens: &[Token]) -> Vec<Title> {
    let mut titles = Vec::new();
    for page in 0..pages.len() {
        let from = tokens.partition_point(|token| token.page < page);
        let to = tokens.partition_point(|token| token.page <= page);
        let mut of_page = page_titles(tokens, from, to);
        of_page.extend(other_papers(tokens, from, to, &of_page));
        if of_page.is_empty() {
            of_page.extend(untitled(tokens, from, to));
        }
        if of_page.is_empty() && pages.len() > 1 {
            of_page.extend(hint(tokens, from, to));
        }
        resolve_bare(tokens, from, to, &mut of_page);
        titles.extend(of_page);
    }
    titles
}

/// No page has more words that could head it; a bound for texts that are no documents.
const MOST_HEADINGS: usize = 30;
/// Tokens of a line, and of the lines of a title.
const LONGEST_LINE: usize = 60;
const LONGEST_ZONE: usize = 150;

fn page_titles(tokens: &[Token], from: usize, to: usize) -> Vec<Title> {
    let mut titles: Vec<Title> = Vec::new();
    for index in from..to {
        let Some(genre) = genre_of(&tokens[index]) else {
            continue;
        };
        if !is_heading(tokens, from, to, index, genre) {
            continue;
        }
        let zone = zone(tokens, from, to, index);
        let what = of_zone(tokens, zone, index, genre);
        let Some((what, place)) = what else { continue };
        titles.push(Title { what, place, page: tokens[index].page });
    }
    titles
}

/// A page whose heading was not read (spaced letters, a stamp over it): «ПРИКАЗЫВАЮ» says that it is
/// an order and «Дана …, в том, что» that it is a certificate.
fn untitled(tokens: &[Token], from: usize, to: usize) -> Option<Title> {
    let page = tokens.get(from)?.page;
    for index in from..to {
        let token = &tokens[index];
        let genre = if ORDERING.has(token) {
            Genre::Order
        } else if GIVEN_OUT.has(token) && token.capital() {
            Genre::Certificate
        } else {
            continue;
        };
        let bare = Title { what: What::Bare(genre), place: Place { first: index, last: index }, page };
        let mut lines = tokens[from..index].iter().map(|t| t.line).rev();
        let last = lines.next().unwrap_or(token.line);
        let Some(start) = (from..index).find(|i| tokens[*i].line + 6 >= last) else { return Some(bare) };
        return Some(match of_zone(tokens, (start, index), start, genre) {
            Some((what @ What::Known(_), place)) => Title { what, place, page },
            _ => bare,
        });
    }
    None
}

/// Words of a type in the upper lines of a page.
fn hint(tokens: &[Token], from: usize, to: usize) -> Option<Title> {
    let top = tokens.get(from)?.line + 15;
    let end = (from..to).find(|i| tokens[*i].line > top).unwrap_or(to);
    (0..DOC_TYPES.len()).find_map(|number| {
        let topics = COMPILED.types[number].title.iter().filter(|topic| topic.says_enough());
        let place = topics.into_iter().find_map(|topic| stems::find(tokens, from, end, topic, 3))?;
        Some(Title { what: What::Hint(number), place, page: tokens[from].page })
    })
}

static ORDERING: LazyLock<WordList<()>> = LazyLock::new(|| WordList::of(&["приказыва", "бұйырам"]));
static GIVEN_OUT: LazyLock<WordList<()>> = LazyLock::new(|| WordList::of(&["дана", "выдана"]));

fn genre_of(token: &Token) -> Option<Genre> {
    if !token.is_word() || !token.capital() && !ENDS_TITLES.has(token) {
        return None;
    }
    GENRE_WORDS.iter().find(|(word, _)| same_word(token, word)).map(|(_, genre)| *genre)
}

/// A Kazakh title in sentence case ends with its kind, in lower case.
static ENDS_TITLES: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "анықтама",
        "бұйрық",
        "парағы",
        "парақ",
        "қағазы",
        "эпикризі",
        "қорытындысы",
        "хабарлама",
        "адамдар",
        "тұлғалар",
    ])
});

static GENRE_WORDS: LazyLock<Vec<(Vec<char>, Genre)>> =
    LazyLock::new(|| GENRES.iter().map(|(word, genre)| (fold(word).chars().collect(), *genre)).collect());

/// Titles of other papers, word by word.
static OTHERS: LazyLock<Vec<Vec<Vec<char>>>> = LazyLock::new(|| {
    let words = |title: &&str| title.split_whitespace().map(|word| fold(word).chars().collect()).collect();
    OTHER_PAPERS.iter().map(words).collect()
});

/// The word itself, a misread letter forgiven: in capitals more than in a sentence, where the last
/// letter must be right, since «справки» is no title.
fn same_word(token: &Token, letters: &[char]) -> bool {
    if token.fold == letters {
        return true;
    }
    let capitals = token.all_capitals();
    let most = if capitals && letters.len() >= 8 { 4 } else { 2 };
    letters.len() >= 6
        && (capitals || token.fold.last() == letters.last())
        && token.fold.len().abs_diff(letters.len()) <= 1
        && distance(&token.fold, letters, most).is_some()
}

/// Words that show that a line speaks of a paper instead of heading it.
static MENTIONS: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "дана",
        "выдана",
        "выдан",
        "выдано",
        "предъяв",
        "прилага",
        "действит",
        "является",
        "предназнач",
        "согласно",
        "утвержд",
        "основан",
        "ознакомл",
        "берілді",
        "берілген",
        "негіз",
        "жүктел",
        "таныс",
        "составлен",
        "содерж",
        "оформл",
    ])
});

/// Whether the word heads a line of its own: the first of its column (or, Kazakh, the last), with
/// nothing there that makes it a mention.
fn is_heading(tokens: &[Token], from: usize, to: usize, index: usize, genre: Genre) -> bool {
    let token = &tokens[index];
    let (start, end) = segment(tokens, from, to, index);
    let words: Vec<&Token> = tokens[start..end].iter().filter(|t| t.is_word() && t.fold.len() > 1).collect();
    let capitals = words.iter().filter(|t| t.all_capitals()).count() * 2 > words.len();
    let first = tokens[start..index].iter().all(|t| !t.is_word() || t.fold.len() == 1);
    let last = tokens[index + 1..end].iter().all(|t| !t.is_word() || t.fold.len() <= 2);
    if !token.capital() {
        // Nothing but its place tells it from a mention: it ends a short line that begins like a title.
        let opens = tokens[start].is_word() && tokens[start].capital() && tokens[start].heads;
        let sentence = tokens[start..end].iter().any(|t| t.is(':') || t.is(',') || t.is('.') || MENTIONS.has(t));
        let high = token.line - tokens[from].line.min(token.line) < 15;
        return opens && last && high && !sentence && words.len() <= 9;
    }
    if !(first || (last && (capitals || words.len() <= 8)) || token.all_capitals() && capitals) {
        return false;
    }
    let mention = tokens[index + 1..end].iter().filter(|t| t.is_word()).take(3).any(|t| MENTIONS.has(t));
    if mention && !capitals {
        return false;
    }
    // In sentence case a heading is short, stands high on the page and does not end a sentence.
    if !capitals {
        let high = token.line - tokens[from].line.min(token.line) < 25;
        let numbered = tokens[start].kind == super::tokens::Kind::Number
            && tokens.get(start + 1).is_some_and(|t| t.is('.') || t.is(')'));
        let quoted = genre == Genre::Statement && index > start && tokens[index - 1].is('«');
        let label =
            tokens[index + 1..end].iter().any(|t| t.is(':')) && !tokens[index + 1..end].iter().any(|t| t.is('№'));
        return high && !numbered && !label && (words.len() <= 12 || quoted);
    }
    true
}

/// The tokens of the word's line, in its column.
fn segment(tokens: &[Token], from: usize, to: usize, index: usize) -> (usize, usize) {
    let line = tokens[index].line;
    let mut start = index;
    while start > from && index - start < LONGEST_LINE && tokens[start - 1].line == line && !tokens[start].heads {
        start -= 1;
    }
    let mut end = index + 1;
    while end < to && end - index < LONGEST_LINE && tokens[end].line == line && !tokens[end].heads {
        end += 1;
    }
    (start, end)
}

/// Words that begin the text after a title.
static BODY_STARTS: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "приказываю",
        "бұйырамын",
        "дана",
        "выдана",
        "выдан",
        "выдано",
        "настоящ",
        "осы",
        "берілді",
        "соответств",
        "основании",
        "негізінде",
        "сәйкес",
        "фамили",
        "уважаем",
        "тегі",
        "құрметті",
    ])
});

/// The lines around the kind of paper that belong to the title: two before (a Kazakh title ends
/// with its kind), six after, up to where the text begins.
fn zone(tokens: &[Token], from: usize, to: usize, index: usize) -> (usize, usize) {
    let line = tokens[index].line;
    let near = |t: &Token, before: usize, after: usize| t.line + before >= line && t.line <= line + after;
    let to = to.min(index + LONGEST_ZONE);
    let start =
        (from.max(index.saturating_sub(LONGEST_ZONE))..index).find(|i| near(&tokens[*i], 4, 0)).unwrap_or(index);
    let mut end = index + 1;
    let mut lines_seen = 0;
    let mut last_line = line;
    while end < to {
        let token = &tokens[end];
        if token.line != last_line {
            lines_seen += 1;
            last_line = token.line;
        }
        let begins_text =
            token.line > line && token.is_word() && (BODY_STARTS.has(token) || leads_to_that(tokens, end));
        if lines_seen > 5 || begins_text {
            break;
        }
        end += 1;
    }
    (start, end)
}

/// Whether the line that begins here says «в том, что»: it is the text, however its first word was read.
fn leads_to_that(tokens: &[Token], start: usize) -> bool {
    let token = &tokens[start];
    let mut line =
        tokens[start..].iter().take_while(|t| t.line == token.line && t.page == token.page).take(LONGEST_LINE);
    token.heads && line.any(|t| t.folds_to("том"))
}

/// What the title's lines name: the most specific type of that kind of paper.
fn of_zone(tokens: &[Token], (start, end): (usize, usize), index: usize, genre: Genre) -> Option<(What, Place)> {
    let orders = COMPILED.other_orders.iter().filter(|_| genre == Genre::Order);
    let mut elsewhere = orders.chain(&COMPILED.opposites);
    if let Some(place) = elsewhere.find_map(|topic| stems::find(tokens, index, end, topic, 2)) {
        return Some((What::Other, place));
    }
    let subject = subject_end(tokens, index, end, genre);
    let end = subject.unwrap_or(end);
    let about = COMPILED.other_subjects.iter().filter(|_| subject.is_some());
    if let Some(place) = about.into_iter().find_map(|topic| stems::find(tokens, index, end, topic, 2)) {
        return Some((What::Other, place));
    }
    let mut best: Option<(usize, Place)> = None;
    for (number, doc_type) in DOC_TYPES.iter().enumerate() {
        if !takes(doc_type.genre, genre) {
            continue;
        }
        // First from the kind of paper on, then also before it.
        let place = COMPILED.types[number].title.iter().find_map(|topic| {
            stems::find(tokens, index, end, topic, 6).or_else(|| stems::find(tokens, start, end, topic, 6))
        });
        if let Some(place) = place
            && best.is_none_or(|(other, _)| rank(number) > rank(other))
        {
            best = Some((number, place));
        }
    }
    if let Some((number, place)) = best {
        if subject.is_none() && ends_what_it_says(tokens, start, end, place) {
            return Some((What::Other, place));
        }
        let whole = Place { first: place.first.min(index), last: place.last.max(index) };
        return Some((What::Known(number), whole));
    }
    match genre {
        Genre::Order | Genre::Certificate => {
            let place = Place { first: index, last: index };
            let named = names_a_subject(tokens, index, end) && !is_vague(tokens, index, end);
            let what = if named { What::Other } else { What::Bare(genre) };
            Some((what, place))
        }
        _ => None,
    }
}

/// Some kinds of paper go by two names.
fn takes(of_type: Genre, of_title: Genre) -> bool {
    of_type == of_title
        || matches!(
            (of_type, of_title),
            (Genre::Statement, Genre::Discharge | Genre::Certificate)
                | (Genre::Notification, Genre::Certificate)
                | (Genre::Conclusion, Genre::Certificate)
        )
}

/// The more a type asks for, the more it says: parental leave is also leave without pay, a
/// companion's sheet is also a sick-leave sheet.
fn rank(number: usize) -> usize {
    match DOC_TYPES[number].title {
        title if title.contains("сопровожд") => 20,
        title if title.contains("декретный") => 20,
        title if title.starts_with("Лица") => 19,
        title if title.contains("ищущего") => 18,
        title if title.contains("утраты") => 18,
        _ => 10,
    }
}

/// Titles of papers that are none of the fifteen.
fn other_papers(tokens: &[Token], from: usize, to: usize, titles: &[Title]) -> Vec<Title> {
    let mut out = Vec::new();
    let could_head = |index: &usize| {
        let token = &tokens[*index];
        token.is_word() && token.capital() && (token.heads || token.all_capitals())
    };
    for index in (from..to).filter(could_head).take(MOST_HEADINGS * 10) {
        let token = &tokens[index];
        let (start, end) = segment(tokens, from, to, index);
        let words: Vec<&Token> = tokens[start..end].iter().filter(|t| t.is_word()).collect();
        let capitals = words.iter().filter(|t| t.all_capitals()).count() * 2 > words.len();
        let short = token.heads && token.line < 8 && words.len() <= 4 && !tokens[end - 1].is('.');
        if !(capitals || short) {
            continue;
        }
        let hit = OTHERS.iter().any(|title| {
            let mut at = index;
            title.iter().all(|word| {
                while at < to && !tokens[at].is_word() && !tokens[at].is('№') {
                    at += 1;
                }
                let fits = tokens
                    .get(at)
                    .filter(|_| at < to)
                    .is_some_and(|t| same_word(t, word) || word.as_slice() == ['№'] && t.is('№'));
                at += 1;
                fits
            })
        });
        if hit
            && !titles
                .iter()
                .any(|t| t.place.first <= index && index <= t.place.last && matches!(t.what, What::Known(_)))
        {
            out.push(Title { what: What::Foreign, place: Place { first: index, last: index }, page: token.page });
        }
    }
    out
}

/// Whether the words around a statement take it back: «снята с учета», «отпуск завершен».
fn ends_what_it_says(tokens: &[Token], from: usize, to: usize, place: Place) -> bool {
    let (from, to) = (from.max(place.first.saturating_sub(8)), to.min(place.last + 6));
    COMPILED.opposites.iter().chain(&COMPILED.ended).any(|topic| stems::find(tokens, from, to, topic, 5).is_some())
}

/// A bare title takes its type from the text of its page, unless another title of the page has one.
fn resolve_bare(tokens: &[Token], from: usize, to: usize, titles: &mut [Title]) {
    let named = titles.iter().any(|title| !matches!(title.what, What::Bare(_)));
    if named {
        return;
    }
    let genre = titles.iter().find_map(|title| match title.what {
        What::Bare(genre) => Some(genre),
        _ => None,
    });
    let Some(genre) = genre else { return };
    let mut best: Option<(usize, Place)> = None;
    for (number, doc_type) in DOC_TYPES.iter().enumerate() {
        if doc_type.genre != genre {
            continue;
        }
        let place = COMPILED.types[number].body.iter().find_map(|topic| stems::find(tokens, from, to, topic, 14));
        let place = place.filter(|place| !ends_what_it_says(tokens, from, to, *place));
        if let Some(place) = place
            && best.is_none_or(|(other, _)| rank(number) > rank(other))
        {
            best = Some((number, place));
        }
    }
    if let Some(title) = titles.first_mut() {
        title.what = best.map_or(What::Other, |(number, _)| What::Known(number));
        if let Some((_, place)) = best {
            title.place = place;
        }
    }
}
