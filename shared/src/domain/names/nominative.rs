//! Back to the nominative: the words of a name as they stand in a document, in any Russian or
//! Kazakh case, to the form a passport has.

use super::declension::{Case, Gender, forms};
use super::parts::{self, NameWord};
use super::patronymic;
use super::{Role, given_names, surnames};

/// The nominative of a written name with its capitals, or the name itself where nothing says that
/// it stands in another case. Initials follow the surname with dots: «Соколов Н.М.».
#[must_use]
pub fn nominative(name: &str) -> String {
    let words = parts::words(name);
    let Some(parts) = parts::readings(&words).into_iter().next() else {
        return super::normalise(name);
    };
    let father = parts.patronymic.and_then(NameWord::patronymic);
    let evidence = Evidence::of(&parts, father.as_ref());
    let surname = evidence.nominative_of(&parts.surname.text, Role::Surname);
    let mut out = capitals(&surname);
    let mut initials = String::new();
    for (word, role) in [(parts.given, Role::Given), (parts.patronymic, Role::Patronymic)] {
        let Some(word) = word else { continue };
        if word.initial {
            initials.push_str(&format!("{}.", capitals(&word.text)));
            continue;
        }
        let form = match (role, &father) {
            (Role::Patronymic, Some(father)) => father.nominative.clone(),
            _ => evidence.nominative_of(&word.text, role),
        };
        out.push(' ');
        out.push_str(&capitals(&form));
    }
    if !initials.is_empty() {
        out.push(' ');
        out.push_str(&initials);
    }
    out
}

/// The nominative of a given name that stands alone; the word itself where no known name declines
/// to it.
pub(crate) fn given_nominative(word: &str) -> String {
    let known = |name: &str, gender: Gender| match gender {
        Gender::Male => given_names::is_male(name),
        Gender::Female => given_names::is_female(name),
    };
    for base in bases(word) {
        for gender in [Gender::Male, Gender::Female] {
            if known(&base, gender) && forms(&base, Role::Given, gender).iter().any(|(_, form)| form == word) {
                return base;
            }
        }
    }
    patronymic::without_kazakh_case(word).find(|stem| given_names::is_known(stem)).unwrap_or(word).to_owned()
}

/// What the parts say together about case and gender.
struct Evidence {
    /// The Russian cases the name can stand in.
    cases: Vec<Case>,
    /// A Kazakh ending on the last word: the others are nominative.
    kazakh_last: bool,
    /// The role that stands last and carries a Kazakh ending.
    gender: Option<Gender>,
    /// The surname stands alone with initials.
    initials_only: bool,
    last_is: Role,
}

impl Evidence {
    fn of(parts: &parts::Parts<'_>, father: Option<&patronymic::Patronymic>) -> Self {
        let last_is = match (parts.given, parts.patronymic) {
            (_, Some(word)) if !word.initial => Role::Patronymic,
            (Some(word), _) if !word.initial => Role::Given,
            _ => Role::Surname,
        };
        let gender = father.map(|f| f.gender);
        let mut cases = Case::ALL.to_vec();
        let mut kazakh_last = false;
        if let (Some(word), Some(father)) = (parts.patronymic, father) {
            let text = &word.text;
            let russian: Vec<Case> = forms(&father.nominative, Role::Patronymic, father.gender)
                .into_iter()
                .filter(|(_, form)| form == text)
                .map(|(case, _)| case)
                .collect();
            if !russian.is_empty() {
                if !father.kazakh {
                    cases = russian;
                }
            } else if *text != father.nominative {
                kazakh_last = true;
                cases = vec![Case::Nominative];
            }
        }
        let initials_only = parts.given.is_none_or(|given| given.initial);
        let mut evidence = Self { cases, kazakh_last, gender, initials_only, last_is };
        evidence.narrow_by_given(parts);
        evidence
    }

    /// The given name's dictionary says which cases are possible, where the patronymic did not.
    fn narrow_by_given(&mut self, parts: &parts::Parts<'_>) {
        let Some(given) = parts.given.filter(|given| !given.initial) else {
            return;
        };
        let options = self.candidates(&given.text, Role::Given);
        let known: Vec<&(String, Case, Gender)> = options
            .iter()
            .filter(|(name, _, gender)| match gender {
                Gender::Male => given_names::is_male(name),
                Gender::Female => given_names::is_female(name),
            })
            .collect();
        if known.is_empty() {
            return;
        }
        let surname = self.candidates(&parts.surname.text, Role::Surname);
        // Given name and surname must be able to stand in one case and gender together.
        let agreeing = |fits: fn(&str, Gender) -> bool| -> Vec<(Case, Gender)> {
            known
                .iter()
                .filter(|(_, case, gender)| {
                    surname.iter().any(|(name, c, g)| c == case && g == gender && fits(name, *g))
                })
                .map(|(_, case, gender)| (*case, *gender))
                .collect()
        };
        let typical = agreeing(plausible_typical);
        let together = if typical.is_empty() { agreeing(plausible_surname) } else { typical };
        let nominative = together.iter().any(|(case, _)| *case == Case::Nominative);
        if nominative {
            self.cases = vec![Case::Nominative];
            let genders: Vec<Gender> =
                together.iter().filter(|(case, _)| *case == Case::Nominative).map(|(_, g)| *g).collect();
            self.gender = self.gender.or_else(|| genders.first().copied());
        } else if let Some((_, gender)) = together.first() {
            self.cases = together.iter().map(|(case, _)| *case).collect();
            self.cases.dedup();
            self.gender = self.gender.or(Some(*gender));
        }
    }

    /// The nominatives that decline to `word` in one of the possible cases and genders.
    fn candidates(&self, word: &str, role: Role) -> Vec<(String, Case, Gender)> {
        let mut out = Vec::new();
        for gender in [Gender::Male, Gender::Female] {
            if self.gender.is_some_and(|known| known != gender) {
                continue;
            }
            for base in bases(word) {
                let all = forms(&base, role, gender);
                // A word that does not decline is the same in every case.
                if all.len() == 1 && base == word {
                    out.extend(self.cases.iter().map(|case| (base.clone(), *case, gender)));
                    continue;
                }
                for (case, form) in all {
                    let candidate = (base.clone(), case, gender);
                    if form == word && self.cases.contains(&case) && !out.contains(&candidate) {
                        out.push(candidate);
                    }
                }
            }
        }
        out
    }

    fn nominative_of(&self, word: &str, role: Role) -> String {
        if self.last_is == role
            && let Some(base) = kazakh_base(word, role, self.initials_only)
        {
            return base;
        }
        if self.kazakh_last || self.cases == [Case::Nominative] {
            return word.to_owned();
        }
        let mut options = self.candidates(word, role);
        match role {
            Role::Given => {
                if let Some((name, ..)) = options.iter().find(|(name, _, gender)| match gender {
                    Gender::Male => given_names::is_male(name),
                    Gender::Female => given_names::is_female(name),
                }) {
                    return name.clone();
                }
            }
            _ => options.sort_by_key(|(name, case, gender)| {
                let unchanged = name == word && *case != Case::Nominative;
                (!surnames::is_known(name), unchanged, surname_rank(name, *case, *gender, self))
            }),
        }
        options.into_iter().next().map_or_else(|| word.to_owned(), |(name, ..)| name)
    }
}

/// Likelier first: possessive and adjective surnames, then the nominative as it stands.
fn surname_rank(name: &str, case: Case, gender: Gender, evidence: &Evidence) -> (u8, u8, usize) {
    let typical = plausible_typical(name, gender);
    let unclear = evidence.cases.len() == Case::ALL.len();
    let nominative = u8::from(case != Case::Nominative);
    // Alone with initials, «Соколову Н.М.» is a man's dative more often than a woman's accusative.
    let order = Case::ALL.iter().position(|c| *c == case).unwrap_or(0);
    if unclear {
        (u8::from(!typical), u8::from(gender == Gender::Female) + nominative, order)
    } else {
        (u8::from(!typical), nominative, name.chars().count())
    }
}

fn plausible_typical(name: &str, gender: Gender) -> bool {
    let endings: &[&str] = match gender {
        Gender::Male => &["ов", "ев", "ин", "ын", "ский", "цкий", "ёв"],
        Gender::Female => &["ова", "ева", "ина", "ына", "ская", "цкая", "ёва"],
    };
    endings.iter().any(|ending| name.ends_with(ending))
}

fn plausible_surname(name: &str, gender: Gender) -> bool {
    // A man is not «Петрова», a woman is not «Петров».
    let other = match gender {
        Gender::Male => Gender::Female,
        Gender::Female => Gender::Male,
    };
    plausible_typical(name, gender) || !plausible_typical(name, other)
}

/// Words whose nominative may decline to `word`: its endings taken off and the usual ones put on.
pub(super) fn bases(word: &str) -> Vec<String> {
    let mut out = vec![word.to_owned()];
    if let Some((first, second)) = word.split_once('-') {
        for one in bases(first) {
            for two in bases(second) {
                out.push(format!("{one}-{two}"));
            }
        }
        out.sort();
        out.dedup();
        return out;
    }
    for ending in [
        "а", "у", "ом", "ем", "е", "ым", "им", "ы", "и", "ой", "ей", "ою", "ого", "ому", "его", "ему", "ую", "ю", "я",
        "ью", "ьи", "ье", "ии", "ию", "ия", "ием", "ией", "ея",
    ] {
        let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.chars().count() >= 2) else {
            continue;
        };
        let vowel = stem.ends_with(['а', 'е', 'и', 'о', 'у', 'ы', 'э', 'ю', 'я', 'ә', 'і', 'ө', 'ұ', 'ү']);
        for nominative in ["", "а", "я", "ь", "й", "ий", "ый", "ой", "ая", "яя", "ия"] {
            // й stands after a vowel, ь after a consonant.
            if vowel && nominative == "ь" || !vowel && nominative == "й" {
                continue;
            }
            out.push(format!("{stem}{nominative}"));
        }
    }
    match word {
        w if w.starts_with("льв") => out.push("лев".into()),
        w if w.starts_with("павл") => out.push("павел".into()),
        _ => {}
    }
    out
}

/// `word` without its Kazakh case. Taken off only where the rest is a known name or the ending
/// cannot be Russian, since «Маратқа» may also be a name with a Russian ending.
fn kazakh_base(word: &str, role: Role, initials_only: bool) -> Option<String> {
    if role == Role::Patronymic {
        return None;
    }
    let typical = |stem: &str| {
        plausible_typical(stem, Gender::Male) || plausible_typical(stem, Gender::Female) || given_names::is_known(stem)
    };
    patronymic::without_kazakh_case(word)
        .find(|stem| match role {
            Role::Surname => typical(stem) || (initials_only && clearly_kazakh(word, stem)),
            _ => given_names::is_known(stem) && !given_names::is_known(word),
        })
        .map(str::to_owned)
}

/// The ending holds a Kazakh letter or cannot end a Russian word.
fn clearly_kazakh(word: &str, stem: &str) -> bool {
    let ending = &word[stem.len()..];
    ending.chars().any(super::super::letters::is_kazakh_only)
        || matches!(ending, "мен" | "бен" | "пен" | "ның" | "дан" | "тан" | "ден" | "тен")
}

/// Each part with a capital, also after a hyphen.
pub(super) fn capitals(word: &str) -> String {
    let mut upper = true;
    word.chars()
        .map(|letter| {
            let shown = if upper { letter.to_uppercase().next().unwrap_or(letter) } else { letter };
            upper = letter == '-';
            shown
        })
        .collect()
}
