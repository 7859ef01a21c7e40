//! The six Russian cases of a surname, given name or patronymic. Forms are made from the
//! nominative; going back is trying nominatives and checking that they decline to what stands in
//! the document, so both directions share one set of rules.

use super::Role;

/// Gender, as far as a name shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gender {
    /// A man.
    Male,
    /// A woman.
    Female,
}

/// The Russian cases, in the order of the school book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    /// Who.
    Nominative,
    /// Whose.
    Genitive,
    /// To whom.
    Dative,
    /// Whom.
    Accusative,
    /// With whom.
    Instrumental,
    /// About whom.
    Prepositional,
}

impl Case {
    /// Every case.
    pub const ALL: [Self; 6] =
        [Self::Nominative, Self::Genitive, Self::Dative, Self::Accusative, Self::Instrumental, Self::Prepositional];
}

/// A stem and its endings from genitive to prepositional.
type Endings<'w> = (&'w str, [&'static str; 5]);

/// Every form of `word` (lower case, nominative) with its case; a word that is declined in two ways
/// (Цой, Донской) gives the forms of both.
#[must_use]
pub fn forms(word: &str, role: Role, gender: Gender) -> Vec<(Case, String)> {
    let mut all = vec![(Case::Nominative, word.to_owned())];
    if word.contains('-') && role == Role::Surname {
        double(word, gender, &mut all);
        return all;
    }
    for (stem, endings) in patterns(word, role, gender) {
        for (case, ending) in Case::ALL[1..].iter().zip(endings) {
            all.push((*case, format!("{stem}{ending}")));
        }
    }
    if role == Role::Given {
        irregular(word, &mut all);
        // Kazakh names of women in a soft sign mostly stay as they are: «Ержановой Назгуль».
        if gender == Gender::Female && word.ends_with('ь') {
            all.extend(Case::ALL[1..].iter().map(|case| (*case, word.to_owned())));
        }
    }
    all
}

/// Both halves of a double surname decline, or only the second («Соловьёв-Седого», «Тер-Петросяна»).
fn double(word: &str, gender: Gender, all: &mut Vec<(Case, String)>) {
    let Some((first, second)) = word.split_once('-') else {
        return;
    };
    let seconds = forms(second, Role::Surname, gender);
    let firsts = forms(first, Role::Surname, gender);
    for (case, form) in seconds.iter().filter(|(case, _)| *case != Case::Nominative) {
        all.push((*case, format!("{first}-{form}")));
        for (_, first_form) in firsts.iter().filter(|(other, _)| other == case) {
            all.push((*case, format!("{first_form}-{form}")));
        }
    }
}

fn irregular(word: &str, all: &mut Vec<(Case, String)>) {
    let stem = match word {
        "лев" => "льв",
        "павел" => "павл",
        _ => return,
    };
    all.retain(|(case, _)| *case == Case::Nominative);
    for (case, ending) in Case::ALL[1..].iter().zip(["а", "у", "а", "ом", "е"]) {
        all.push((*case, format!("{stem}{ending}")));
    }
}

fn patterns(word: &str, role: Role, gender: Gender) -> Vec<Endings<'_>> {
    match (role, gender) {
        (Role::Patronymic, _) => patronymic(word).into_iter().collect(),
        (Role::Surname, Gender::Male) => male_surname(word),
        (Role::Surname, Gender::Female) => female_surname(word).into_iter().collect(),
        (Role::Given, Gender::Male) => male_noun(word).into_iter().collect(),
        (Role::Given, Gender::Female) => female_given(word).into_iter().collect(),
    }
}

fn cut<'w>(word: &'w str, ending: &str) -> Option<&'w str> {
    word.strip_suffix(ending).filter(|stem| !stem.is_empty())
}

fn patronymic(word: &str) -> Option<Endings<'_>> {
    if let Some(stem) = cut(word, "на") {
        return ["ов", "ев", "ич", "иниш"]
            .iter()
            .any(|e| stem.ends_with(e))
            .then(|| (&word[..word.len() - 2], ["ы", "е", "у", "ой", "е"]));
    }
    word.ends_with("ич").then_some((word, ["а", "у", "а", "ем", "е"]))
}

fn male_surname(word: &str) -> Vec<Endings<'_>> {
    if ["ов", "ев", "ёв", "ин", "ын"].iter().any(|ending| word.ends_with(ending)) {
        // Russian surnames take -ым; foreign ones (Чаплин) -ом.
        return vec![(word, ["а", "у", "а", "ым", "е"]), (word, ["а", "у", "а", "ом", "е"])];
    }
    if let Some(stem) = cut(word, "ий") {
        return vec![
            (stem, ["ого", "ому", "ого", "им", "ом"]),
            (stem, ["его", "ему", "его", "им", "ем"]),
            (stem, ["ия", "ию", "ия", "ием", "ии"]),
        ];
    }
    if let Some(stem) = cut(word, "ый") {
        return vec![(stem, ["ого", "ому", "ого", "ым", "ом"])];
    }
    if let Some(stem) = cut(word, "ой") {
        let instrumental = if ends_with_any(stem, "кгхжшчщ") { "им" } else { "ым" };
        return vec![(stem, ["ого", "ому", "ого", instrumental, "ом"]), (stem, ["оя", "ою", "оя", "оем", "ое"])];
    }
    male_noun(word).into_iter().collect()
}

fn female_surname(word: &str) -> Option<Endings<'_>> {
    if ["ова", "ева", "ёва", "ина", "ына"].iter().any(|ending| word.ends_with(ending)) {
        return Some((&word[..word.len() - 2], ["ой", "ой", "у", "ой", "ой"]));
    }
    if let Some(stem) = cut(word, "ая") {
        return Some((stem, ["ой", "ой", "ую", "ой", "ой"]));
    }
    if let Some(stem) = cut(word, "яя") {
        return Some((stem, ["ей", "ей", "юю", "ей", "ей"]));
    }
    noun_in_a(word)
}

fn noun_in_a(word: &str) -> Option<Endings<'_>> {
    if let Some(stem) = cut(word, "ия") {
        return Some((stem, ["ии", "ии", "ию", "ией", "ии"]));
    }
    if let Some(stem) = cut(word, "а") {
        let genitive = if ends_with_any(stem, "кгхжшчщ") { "и" } else { "ы" };
        let instrumental = if ends_with_any(stem, "жшчщц") { "ей" } else { "ой" };
        return Some((stem, [genitive, "е", "у", instrumental, "е"]));
    }
    cut(word, "я").map(|stem| (stem, ["и", "е", "ю", "ей", "е"]))
}

fn male_noun(word: &str) -> Option<Endings<'_>> {
    if let Some(stem) = cut(word, "ий") {
        return Some((stem, ["ия", "ию", "ия", "ием", "ии"]));
    }
    if let Some(stem) = cut(word, "й").or_else(|| cut(word, "ь")) {
        return Some((stem, ["я", "ю", "я", "ем", "е"]));
    }
    if word.ends_with(['а', 'я']) {
        return noun_in_a(word);
    }
    if word.ends_with(['о', 'е', 'и', 'у', 'ю', 'ы', 'э', 'ә', 'і', 'ө', 'ү', 'ұ', 'ё'])
        || word.ends_with("ых")
        || word.ends_with("их")
    {
        return None;
    }
    let instrumental = if ends_with_any(word, "жшчщц") { "ем" } else { "ом" };
    Some((word, ["а", "у", "а", instrumental, "е"]))
}

fn female_given(word: &str) -> Option<Endings<'_>> {
    if let Some(stem) = cut(word, "ь") {
        return Some((stem, ["и", "и", "ь", "ью", "и"]));
    }
    noun_in_a(word)
}

fn ends_with_any(stem: &str, letters: &str) -> bool {
    stem.chars().next_back().is_some_and(|last| letters.contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(word: &str, role: Role, gender: Gender) -> String {
        forms(word, role, gender).into_iter().map(|(_, form)| form).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_decline_as_the_grammar_says() {
        use Gender::{Female, Male};
        for (role, gender, forms) in [
            (Role::Surname, Female, "петрова петровой петровой петрову петровой петровой"),
            (Role::Surname, Female, "вишневская вишневской вишневской вишневскую вишневской вишневской"),
            (Role::Surname, Female, "шевченко"),
            (Role::Surname, Male, "шевчук шевчука шевчуку шевчука шевчуком шевчуке"),
            (Role::Given, Male, "андрей андрея андрею андрея андреем андрее"),
            (Role::Given, Male, "лев льва льву льва львом льве"),
            (Role::Given, Male, "илья ильи илье илью ильей илье"),
            (Role::Given, Female, "мария марии марии марию марией марии"),
            (Role::Given, Female, "асель асели асели асель аселью асели асель асель асель асель асель"),
            (Role::Given, Female, "айгерим"),
            (Role::Patronymic, Male, "петрович петровича петровичу петровича петровичем петровиче"),
            (Role::Patronymic, Female, "петровна петровны петровне петровну петровной петровне"),
            (Role::Patronymic, Female, "серікқызы"),
        ] {
            let nominative = forms.split(' ').next().expect("a word");
            assert_eq!(line(nominative, role, gender), forms);
        }
    }

    #[test]
    fn both_halves_of_a_double_surname_decline() {
        let all = line("иванова-цой", Role::Surname, Gender::Female);
        assert_eq!(all, "иванова-цой");
        assert!(line("иванов-белый", Role::Surname, Gender::Male).contains("иванову-белому"));
    }
}
