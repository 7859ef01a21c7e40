//! A known name, and single words of a text that may write a part of it.

use super::compare::{genders, patronymic_fit, word_fit};
use super::parts::{self, NameWord};
use super::{Gender, Role, patronymic};

/// A name that is looked for, taken apart once.
#[derive(Debug)]
pub(crate) struct Written {
    parts: Vec<(Role, NameWord)>,
    genders: Vec<Gender>,
    father: Option<patronymic::Patronymic>,
}

impl Written {
    /// None where it is no full name in Cyrillic letters.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let words = parts::words(name);
        let reading = parts::readings(&words).into_iter().next()?;
        let father = reading.patronymic.and_then(NameWord::patronymic);
        let genders = genders(&reading, father.as_ref());
        let parts = [
            (Role::Surname, Some(reading.surname)),
            (Role::Given, reading.given),
            (Role::Patronymic, reading.patronymic),
        ];
        let parts: Vec<(Role, NameWord)> = parts
            .into_iter()
            .filter_map(|(role, word)| Some((role, word?.clone())))
            .filter(|(_, word)| !word.initial && !word.latin)
            .collect();
        (parts.len() >= 2).then_some(Self { parts, genders, father })
    }

    /// The part that this word writes, in whatever case and spelling of either language, no letter misread.
    pub(crate) fn part(&self, word: &str) -> Option<Role> {
        let words = parts::words(word);
        let [word] = &words[..] else { return None };
        if word.initial || word.latin {
            return None;
        }
        let long = |word: &NameWord| word.text.chars().count();
        let writes = |(role, ours): &&(Role, NameWord)| {
            // Endings of cases, and -ұлы for -ович, are no longer than this.
            long(word).abs_diff(long(ours)) <= 5
                && match role {
                    Role::Patronymic => {
                        patronymic_fit(ours, word, self.father.as_ref(), word.patronymic().as_ref()).firm()
                    }
                    _ => word_fit(ours, word, *role, &self.genders).firm(),
                }
        };
        self.parts.iter().find(writes).map(|(role, _)| *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_writes_a_part_in_any_case_and_spelling_and_no_other_word_does() {
        let name = Written::new("Канатов Аскар Серикович").expect("a full name");
        for word in ["Канатов", "КАНАТОВУ", "Қанатовым"] {
            assert_eq!(name.part(word), Some(Role::Surname), "{word}");
        }
        assert_eq!(name.part("Асқарға"), Some(Role::Given));
        assert_eq!(name.part("Серікұлы"), Some(Role::Patronymic));
        for word in ["Канат", "Канатова Дана", "Аскарбек", "Сериковна", "Канатопу", "А"]
        {
            assert_eq!(name.part(word), None, "{word}");
        }
    }

    #[test]
    fn initials_and_latin_letters_are_not_looked_for() {
        assert!(Written::new("Канатов А.С.").is_none());
        assert!(Written::new("Kanatov Askar").is_none());
        assert!(Written::new("").is_none());
    }
}
