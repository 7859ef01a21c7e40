//! The fifteen document types that are accepted: title, days of validity, and what they are called
//! in Russian and Kazakh. This is the one place: a new wording is a line of `doc_wordings.rs`.

use super::doc_wordings as words;
use super::letters::fold;

/// Days of validity of a document whose type is unknown (contract, section 1), and of most types.
pub const DEFAULT_VALIDITY_DAYS: u32 = 40;

/// What kind of paper a title line names: «приказ», «справка» and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Genre {
    /// An employer's order.
    Order,
    /// A certificate.
    Certificate,
    /// A sheet of temporary incapacity.
    SickSheet,
    /// A hospital's discharge summary.
    Discharge,
    /// A commission's conclusion.
    Conclusion,
    /// A notification.
    Notification,
    /// A statement out of a register: its title alone says what it is.
    Statement,
}

/// One accepted type.
#[derive(Debug, PartialEq, Eq)]
pub struct DocType {
    /// The title callers see.
    pub title: &'static str,
    /// Days from the issue date on which it is valid.
    pub validity_days: u32,
    /// What kind of paper it is.
    pub genre: Genre,
    /// Where no issue date stands, the first day of the leave counts.
    pub dated_by_leave: bool,
    /// Other titles and form numbers it goes by, in both languages.
    pub aliases: &'static [&'static str],
    /// What its title line says beside the kind of paper: each a set of word stems that stand near
    /// each other, in any order.
    pub title_topics: &'static [&'static str],
    /// What its text says where the title is the bare kind of paper («СПРАВКА»).
    pub body_topics: &'static [&'static str],
}

const fn doc_type(
    title: &'static str,
    validity_days: u32,
    genre: Genre,
    [aliases, title_topics, body_topics]: [&'static [&'static str]; 3],
) -> DocType {
    DocType { title, validity_days, genre, dated_by_leave: false, aliases, title_topics, body_topics }
}

/// The accepted types.
pub static DOC_TYPES: [DocType; 15] = [
    doc_type("Лист временной нетрудоспособности (больничный лист)", 40, Genre::SickSheet, words::SICK_LEAVE),
    doc_type("Выписка из стационара (выписной эпикриз)", 40, Genre::Discharge, words::DISCHARGE),
    doc_type("Больничный лист на сопровождающего (если предусмотрено)", 40, Genre::SickSheet, words::COMPANION),
    doc_type("Приказ о расторжении трудового договора", 40, Genre::Order, words::DISMISSAL_ORDER),
    doc_type("Справка о расторжении трудового договора", 40, Genre::Certificate, words::DISMISSAL_CERTIFICATE),
    doc_type("Справка о регистрации в качестве безработного", 40, Genre::Certificate, words::UNEMPLOYED_CERTIFICATE),
    doc_type(
        "Приказ работодателя о предоставлении отпуска без сохранения заработной платы",
        40,
        Genre::Order,
        words::UNPAID_LEAVE_ORDER,
    ),
    doc_type("Справка о неполучении доходов", 40, Genre::Certificate, words::NO_INCOME_CERTIFICATE),
    doc_type(
        "Уведомление о регистрации в качестве лица, ищущего работу",
        40,
        Genre::Notification,
        words::JOB_SEEKER_NOTIFICATION,
    ),
    doc_type("Лица, зарегистрированные в качестве безработных", 40, Genre::Statement, words::UNEMPLOYED_STATEMENT),
    doc_type("Заключение врачебно-консультативной комиссии (ВКК)", 180, Genre::Conclusion, words::VKK_CONCLUSION),
    doc_type("Справка об инвалидности", 360, Genre::Certificate, words::DISABILITY_CERTIFICATE),
    doc_type("Справка о степени утраты общей трудоспособности", 360, Genre::Certificate, words::CAPACITY_CERTIFICATE),
    DocType {
        dated_by_leave: true,
        ..doc_type(
            "Приказ о выходе в декретный отпуск по уходу за ребенком",
            365,
            Genre::Order,
            words::PARENTAL_LEAVE_ORDER,
        )
    },
    DocType {
        dated_by_leave: true,
        ..doc_type(
            "Справка о выходе в декретный отпуск по уходу за ребенком",
            365,
            Genre::Certificate,
            words::PARENTAL_LEAVE_CERTIFICATE,
        )
    },
];

/// The type that goes by this title or alias; case, ё, Kazakh letters, quotes and the number of
/// spaces do not matter.
#[must_use]
pub fn by_title(title: &str) -> Option<&'static DocType> {
    let wanted = title_key(title);
    DOC_TYPES
        .iter()
        .find(|doc_type| title_key(doc_type.title) == wanted)
        .or_else(|| DOC_TYPES.iter().find(|t| t.aliases.iter().any(|alias| title_key(alias) == wanted)))
}

fn title_key(title: &str) -> String {
    let letters: String = fold(title).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_found_whatever_their_case_spaces_and_yo() {
        for doc_type in &DOC_TYPES {
            assert_eq!(by_title(&format!("  {}  ", doc_type.title.to_uppercase())), Some(doc_type));
        }
        let parental = by_title("приказ о выходе в декретный отпуск  по уходу за ребёнком").expect("known");
        assert_eq!(parental.validity_days, 365);
        assert_eq!(by_title("Справка с места работы"), None);
    }

    #[test]
    fn an_alias_names_one_type_only() {
        let mut seen = std::collections::HashMap::new();
        for doc_type in &DOC_TYPES {
            for name in doc_type.aliases.iter().chain([&doc_type.title]) {
                assert_eq!(seen.insert(title_key(name), doc_type.title), None, "{name}");
            }
        }
    }

    #[test]
    fn validity_is_that_of_the_rules() {
        let days: Vec<u32> = DOC_TYPES.iter().map(|t| t.validity_days).collect();
        assert_eq!(days, [40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 180, 360, 360, 365, 365]);
        assert_eq!(DOC_TYPES.iter().filter(|t| t.dated_by_leave).count(), 2);
    }
}
