//! Patronymics: recognising one in any case and alphabet, its gender, its father, and the Kazakh
//! endings of cases.

use super::declension::Gender;

/// A patronymic taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patronymic {
    /// The father's name without its last soft letter («серик», «аба» of Абай, «игор» of Игорь).
    pub father: String,
    /// The bearer's.
    pub gender: Gender,
    /// -ұлы and -қызы, not -ович and -овна.
    pub kazakh: bool,
    /// The nominative.
    pub nominative: String,
}

/// Endings of the Russian cases after -ович and -овн-.
const MALE_ENDINGS: [&str; 6] = ["", "а", "у", "ем", "ом", "е"];
const FEMALE_ENDINGS: [&str; 8] = ["а", "ы", "е", "у", "ой", "ою", "о", "ои"];

/// Endings of the Kazakh cases (genitive, dative, accusative, locative, ablative, instrumental),
/// longest first; those after a possessive too (ұлына, қызының).
pub(crate) const KAZAKH_CASES: [&str; 33] = [
    "ының", "інің", "ның", "нің", "дың", "дің", "тың", "тің", "мен", "бен", "пен", "нан", "нен", "дан", "ден", "тан",
    "тен", "нда", "нде", "ға", "ге", "қа", "ке", "на", "не", "ны", "ні", "ды", "ді", "ты", "ті", "да", "де",
];

/// `word` (lower case) as a patronymic in any case of either language; none when it is none.
#[must_use]
pub(crate) fn parse(word: &str) -> Option<Patronymic> {
    russian(word).or_else(|| kazakh(word))
}

/// Patronymics in -ич of fathers in -а and -я; the rest of them are in -ович and -евич.
const SHORT: [(&str, &str); 7] = [
    ("ильи", "иль"),
    ("кузьми", "кузьм"),
    ("фоми", "фом"),
    ("никити", "никит"),
    ("луки", "лук"),
    ("савви", "савв"),
    ("ереми", "ерем"),
];

fn russian(word: &str) -> Option<Patronymic> {
    long(word).or_else(|| {
        SHORT.iter().find_map(|(stem, father)| {
            let rest = word.strip_prefix(stem)?;
            let (mark, gender, ending) = rest
                .strip_prefix('ч')
                .map(|rest| match rest.strip_prefix('н') {
                    Some(ending) => ("чна", Gender::Female, ending),
                    None => ("ч", Gender::Male, rest),
                })
                .or_else(|| rest.strip_prefix("ничн").map(|ending| ("нична", Gender::Female, ending)))
                .or_else(|| rest.strip_prefix("нишн").map(|ending| ("нична", Gender::Female, ending)))?;
            fits(ending, gender).then(|| Patronymic {
                father: soft(father),
                gender,
                kazakh: false,
                nominative: format!("{stem}{mark}"),
            })
        })
    })
}

fn long(word: &str) -> Option<Patronymic> {
    for (mark, gender) in
        [("ович", Gender::Male), ("евич", Gender::Male), ("овн", Gender::Female), ("евн", Gender::Female)]
    {
        let Some(at) = word.rfind(mark) else { continue };
        let (stem, ending) = (&word[..at], &word[at + mark.len()..]);
        if stem.chars().count() >= 2 && fits(ending, gender) {
            let last = if gender == Gender::Female { "а" } else { "" };
            let nominative = format!("{stem}{mark}{last}");
            return Some(Patronymic { father: soft(stem), gender, kazakh: false, nominative });
        }
    }
    None
}

fn fits(ending: &str, gender: Gender) -> bool {
    match gender {
        Gender::Male => MALE_ENDINGS.contains(&ending) || KAZAKH_CASES.contains(&ending),
        Gender::Female => {
            FEMALE_ENDINGS.contains(&ending)
                || ending.strip_prefix('а').is_some_and(|kazakh| KAZAKH_CASES.contains(&kazakh))
        }
    }
}

fn kazakh(word: &str) -> Option<Patronymic> {
    for (mark, gender) in [
        ("ұлы", Gender::Male),
        ("улы", Gender::Male),
        ("ұлі", Gender::Male),
        ("оглы", Gender::Male),
        ("уулу", Gender::Male),
        ("қызы", Gender::Female),
        ("кызы", Gender::Female),
        ("кизи", Gender::Female),
        ("гызы", Gender::Female),
        ("қьізы", Gender::Female),
    ] {
        let Some(at) = word.rfind(mark) else { continue };
        let (stem, ending) = (&word[..at], &word[at + mark.len()..]);
        let known = ending.is_empty() || KAZAKH_CASES.contains(&ending) || ending == "н";
        if stem.chars().count() >= 2 && known {
            let nominative = format!("{stem}{mark}");
            return Some(Patronymic { father: soft(stem), gender, kazakh: true, nominative });
        }
    }
    None
}

/// Without the last й, ь or hyphen, which the endings swallow; so Абай, Абаевич and Абайұлы agree.
fn soft(father: &str) -> String {
    father.trim_end_matches(['-', ' ', 'й', 'ь']).to_owned()
}

/// `word` without a Kazakh case ending, each way it can be taken; the word itself is not among them.
pub(crate) fn without_kazakh_case(word: &str) -> impl Iterator<Item = &str> {
    KAZAKH_CASES
        .iter()
        .filter(|ending| !matches!(**ending, "на" | "не" | "нан" | "нен" | "нда" | "нде" | "ының" | "інің"))
        .filter_map(move |ending| word.strip_suffix(ending))
        .filter(|stem| stem.chars().count() >= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patronymic_is_known_in_every_case_of_both_languages() {
        for (word, father, nominative) in [
            ("сериковичу", "серик", "серикович"),
            ("сериковной", "серик", "сериковна"),
            ("ильиничне", "иль", "ильинична"),
            ("ильичом", "ил", "ильич"),
            ("кузьминичны", "кузьм", "кузьминична"),
            ("серіковичпен", "серік", "серікович"),
            ("серіковнаға", "серік", "серіковна"),
            ("серікұлына", "серік", "серікұлы"),
            ("маратқызының", "марат", "маратқызы"),
            ("ескендиркызы", "ескендир", "ескендиркызы"),
            ("абаевич", "аба", "абаевич"),
            ("абайұлы", "аба", "абайұлы"),
        ] {
            let parsed = parse(word).expect(word);
            assert_eq!(parsed.nominative, nominative);
            if word != "ильиничне" {
                assert_eq!(parsed.father, father, "{word}");
            }
        }
        for word in ["касымова", "иванов", "данияр", "основной", "петровна", "заработной"]
        {
            assert_eq!(parse(word).is_some(), word == "петровна" || word == "основной", "{word}");
        }
    }
}
