//! A written name taken apart into words and initials, and the ways in which they can be surname,
//! given name and patronymic.

use super::super::letters::{is_cyrillic, mend_alphabet};
use super::{given_names, patronymic};

/// One word or initial of a written name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameWord {
    /// Without dot; look-alikes mended.
    pub text: String,
    /// One letter (or a pair such as «Дж») that stands for a name.
    pub initial: bool,
    /// In Latin letters.
    pub latin: bool,
}

impl NameWord {
    fn new(text: &str, initial: bool) -> Self {
        let mended = mend_alphabet(text);
        let latin = !mended.chars().any(is_cyrillic);
        Self { text: mended.to_lowercase(), initial, latin }
    }

    /// The word as a patronymic in any case.
    pub(crate) fn patronymic(&self) -> Option<patronymic::Patronymic> {
        if self.initial {
            return None;
        }
        if self.latin {
            return super::latin::sounds_of_latin(&self.text).iter().find_map(|sound| patronymic::parse(sound));
        }
        patronymic::parse(&self.text)
    }
}

/// The roles as far as they are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'n> {
    pub surname: &'n NameWord,
    pub given: Option<&'n NameWord>,
    pub patronymic: Option<&'n NameWord>,
}

/// The words of a written name: quotes, commas and soft hyphens gone, glued initials parted, a
/// standing-alone «қызы» joined to its father, dashes in a double surname closed up.
#[must_use]
pub(crate) fn words(name: &str) -> Vec<NameWord> {
    let cleaned = clean(name);
    let mut out: Vec<NameWord> = Vec::new();
    for piece in cleaned.split_whitespace() {
        let mut rest = piece;
        while let Some((head, tail)) = rest.split_once('.') {
            push(head, true, &mut out);
            rest = tail;
        }
        push(rest, false, &mut out);
    }
    out
}

fn clean(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for sign in name.chars() {
        match sign {
            '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{301}' => {}
            '–' | '—' | '‑' | '‐' | '-' => {
                while text.ends_with(' ') {
                    text.pop();
                }
                text.push('-');
            }
            c if c.is_alphanumeric() || matches!(c, '.' | '\'' | '’' | 'ʹ' | 'ʺ' | '`' | '¬') => text.push(c),
            _ if text.ends_with('-') => {}
            _ => text.push(' '),
        }
    }
    let mut joined = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        if sign == '¬' {
            while signs.next_if(|c| *c == ' ').is_some() {}
        } else {
            joined.push(sign);
        }
    }
    joined
}

fn push(piece: &str, dotted: bool, out: &mut Vec<NameWord>) {
    let piece = piece.trim_matches(['-', '\'', '’']);
    let letters = piece.chars().count();
    if piece.is_empty() || !piece.chars().any(char::is_alphabetic) {
        return;
    }
    let lower = piece.to_lowercase();
    if matches!(
        lower.as_str(),
        "ұлы" | "улы" | "қызы" | "кызы" | "uly" | "ūly" | "kyzy" | "qyzy" | "оглы" | "uli" | "кизи"
    ) && let Some(father) = out.last_mut().filter(|word| !word.initial)
    {
        father.text.push_str(&lower);
        return;
    }
    // «ЯВ», «А.Б» without dots: capitals that are no name on their own.
    let capitals = piece.chars().all(char::is_uppercase);
    let vowels = lower.chars().filter(|c| "аеёиоуыэюяәіөұүaeiouy".contains(*c)).count();
    let pair = letters == 2
        && capitals
        && !out.is_empty()
        && !given_names::is_known(&lower)
        && (vowels == 0 || vowels == 2 || !out[0].initial && out.len() == 1 && !is_short_name(&lower));
    if letters == 1 || dotted && letters <= 2 && !is_short_name(&lower) {
        out.push(NameWord::new(piece, true));
    } else if pair {
        for letter in piece.chars() {
            out.push(NameWord::new(&letter.to_string(), true));
        }
    } else {
        out.push(NameWord::new(piece, false));
    }
}

/// Two letters that are a surname or given name of their own.
fn is_short_name(lower: &str) -> bool {
    matches!(
        lower,
        "ли" | "ан"
            | "ян"
            | "ем"
            | "ен"
            | "ни"
            | "ю"
            | "те"
            | "ин"
            | "ким"
            | "ия"
            | "ту"
            | "ма"
            | "хе"
            | "li"
            | "an"
            | "ni"
            | "te"
            | "ma"
    )
}

/// The ways to read the words as parts, most likely first. `nominative`: the given names' dictionary
/// can be asked for the word as it stands.
#[must_use]
pub(crate) fn readings(words: &[NameWord]) -> Vec<Parts<'_>> {
    let full: Vec<&NameWord> = words.iter().filter(|w| !w.initial).collect();
    let initials: Vec<&NameWord> = words.iter().filter(|w| w.initial).collect();
    match (full.as_slice(), initials.as_slice()) {
        ([surname], [given, rest @ ..]) => {
            vec![Parts { surname, given: Some(given), patronymic: rest.first().copied() }]
        }
        ([one, two], []) => two_words(one, two),
        ([one, two], [initial]) => {
            two_words(one, two).into_iter().map(|parts| Parts { patronymic: Some(initial), ..parts }).collect()
        }
        ([one, two, three], _) => three_words(one, two, three),
        _ => Vec::new(),
    }
}

fn two_words<'n>(one: &'n NameWord, two: &'n NameWord) -> Vec<Parts<'n>> {
    let straight = Parts { surname: one, given: Some(two), patronymic: None };
    let turned = Parts { surname: two, given: Some(one), patronymic: None };
    if is_given(one) && !is_given(two) { vec![turned, straight] } else { vec![straight, turned] }
}

fn three_words<'n>(one: &'n NameWord, two: &'n NameWord, three: &'n NameWord) -> Vec<Parts<'n>> {
    let straight = Parts { surname: one, given: Some(two), patronymic: Some(three) };
    let turned = Parts { surname: three, given: Some(one), patronymic: Some(two) };
    match (two.patronymic().is_some(), three.patronymic().is_some()) {
        (true, false) => vec![turned],
        (true, true) if is_given(one) && !is_given(two) => vec![turned, straight],
        _ => vec![straight],
    }
}

/// Whether the word is a known given name as it stands.
pub(crate) fn is_given(word: &NameWord) -> bool {
    if word.latin {
        return super::latin::sounds_of_latin(&word.text).iter().any(|sound| given_names::is_known(sound));
    }
    given_names::is_known(&word.text)
}
