//! Names in which the reader has put spaces and marks.

use proptest::prelude::*;

use super::{pages, read};
use crate::domain::names;
use crate::domain::rules::analyse;

const APPLICANT: &str = "Каримов Аскар Канатович";

fn reads(text: &str, applicant: &str) -> Option<String> {
    read(&format!("СПРАВКА\nо неполучении доходов\n{text}\nДата выдачи: 10.11.2026"), applicant).fio
}

fn is_found(text: &str, applicant: &str) -> bool {
    reads(text, applicant).is_some_and(|name| names::compare(applicant, &name).same)
}

#[test]
fn a_torn_word_of_the_applicants_name_is_made_whole() {
    for text in [
        "Выдана: Каримов Аскар К, анатови ч",
        "Выдана Кари мову Аскару Канатовичу в том, что он",
        "Ф.И.О.: КАРИМОВ АСКАР КАНА ТО ВИЧ",
        "Ф.И.О.: К АРИМОВ АС КАР КАНАТОВИЧ",
        "Выдана Аскару К. анатовичу Каримо\nву в том, что он",
        "Фамилия Кари мов\nИмя Ас кар\nОтчество Канато вич",
    ] {
        assert_eq!(reads(text, APPLICANT).as_deref(), Some(APPLICANT), "{text}");
    }
    let kazakh = "Жолдыбаева Гүлсім Аманжолқызы";
    assert!(is_found("Берілді: Жол дыбаева Гүлс,ім Аманжол қызына", kazakh));
}

#[test]
fn a_name_made_whole_is_marked_for_a_person_to_look_at() {
    let mended = |text: &str| analyse(&pages(text), APPLICANT).extraction.fio_mended;
    assert!(mended("СПРАВКА\nВыдана Каримову Аскару Канато вичу в том, что он доходов не получал"));
    assert!(!mended("СПРАВКА\nВыдана Каримову Аскару Канатовичу в том, что он доходов не получал"));
}

#[test]
fn what_may_be_words_of_their_own_is_not_put_together() {
    for (text, applicant) in [
        ("Выдана Нуров А Лина Ивановна", "Нурова Лина Ивановна"),
        ("Выдана НУРОВ А ЛИНА ИВАНОВНА", "Нурова Лина Ивановна"),
        ("Выдана НУРОВ А. ЛИНА ИВАНОВНА", "Нурова Лина Ивановна"),
        ("Уволен Иванов, а Анна Петровна принята", "Иванова Анна Петровна"),
        ("Выдана Ким Жан на основании заявления", "Ким Жанна"),
        ("Выдана Ахметов Александр а также", "Ахметова Александра"),
    ] {
        assert!(!is_found(text, applicant), "{text} | {applicant}");
    }
}

#[test]
fn a_father_is_not_lost_behind_marks_or_in_pieces() {
    let sister = "Александрова Ольга Петровна";
    for text in ["Ольга, Павловна", "Ольга Пав ловна", "Ольга Пав, лов на", "Ольга П.", "Ольга П. авловна"]
    {
        let text = format!("Выдана: Александрова {text}");
        assert!(reads(&text, sister).is_some_and(|name| name.starts_with("Александрова Ольга П")), "{text}");
    }
    assert!(!is_found("Выдана: Александрова Ольга Пав ловна", sister));
    assert!(!is_found("Выдана: Александрова Ольга С.", sister));
    assert!(is_found("Ф.И.О.: Александрова Ольга\nС. Петров, директор", sister));
}

#[test]
fn the_torn_ending_of_a_surname_is_no_initial_of_the_applicant() {
    for text in ["Выдана: КАРИМОВ\nА.  АСКАР КАНАТОВНА", "Выдана: КАРИМОВ А. АСКАР КАНАТОВНА, 01.02.1990 г.р."]
    {
        assert!(!is_found(text, "Каримов Аскар Канатович"), "{text}");
    }
    assert!(is_found("Выдана: Каримов А.\nСправка действительна", "Каримов Аскар Канатович"));
}

#[test]
fn a_torn_word_alone_is_nobodys_name() {
    let text = "Справка дана по запросу. К, анатови ч согласовано с руководством";
    assert_eq!(reads(text, APPLICANT), None);
}

/// Each with persons who are not them and nearly are.
const PEOPLE: &[(&str, &[&str])] = &[
    ("Каримов Аскар Канатович", &["Каримов Асхат Канатович", "Каримов Аскар Маратович", "Каримова Аскар Канатовна"]),
    ("Нурова Лина Ивановна", &["Нуров Алин Иванович", "Нурова Инна Ивановна", "Нуров Иван Ильич"]),
    ("Жолдыбаева Гүлсім Аманжолқызы", &["Жолдыбаева Гүлсара Аманжолқызы", "Жолдыбаев Аманжол Серікұлы"]),
    ("Ахметова Дана Ерлановна", &["Ахмедова Дана Ерлановна", "Ахметов Данат Ерланович", "Ахметова Дина Ерлановна"]),
    ("Александрова Ольга Петровна", &["Александров Олег Петрович", "Александрова Ольга Павловна"]),
    ("Семёнов Пётр Алексеевич", &["Семёнова Анна Алексеевна", "Симонов Пётр Алексеевич", "Семёнов Пётр Андреевич"]),
    ("Ким Анна Валерьевна", &["Ким Инна Валерьевна", "Кима Анна Валерьевна", "Ким Анна Викторовна"]),
];

const BETWEEN: &[&str] = &[" ", ", ", ". ", " - ", "' ", "\n"];

/// The name with something put in after the letters at these places.
fn torn(name: &str, tears: &[(usize, usize)]) -> String {
    let mut letters: Vec<String> = name.chars().map(String::from).collect();
    for (place, between) in tears {
        let place = place % (letters.len() - 1);
        // A letter with a dot is an initial, and no longer a piece.
        let initial = place == 0 || letters[place - 1].ends_with(char::is_whitespace);
        letters[place].push_str(BETWEEN[if initial { 0 } else { between % BETWEEN.len() }]);
    }
    letters.concat()
}

const TEXTS: &[&str] =
    &["Выдана: NAME, 01.02.1990 г.р.", "Ф.И.О.: NAME", "NAME\nне получает доходов", "Пациент NAME на приеме"];

#[test]
fn nearly_every_single_tear_is_made_whole() {
    let (mut all, mut found, mut lost) = (0, 0, Vec::new());
    for (name, _) in PEOPLE {
        for capitals in [false, true] {
            let name_there = if capitals { name.to_uppercase() } else { (*name).to_owned() };
            let inside = |at: &usize| {
                let letters: Vec<char> = name_there.chars().collect();
                letters[*at] != ' ' && letters[at + 1] != ' '
            };
            for at in (0..name_there.chars().count() - 1).filter(inside) {
                all += 1;
                let text = format!("Выдана: {}, 01.02.1990 г.р.", torn(&name_there, &[(at, 0)]));
                if is_found(&text, name) {
                    found += 1;
                } else {
                    lost.push(format!("{text} {:?}", reads(&text, name)));
                }
            }
        }
    }
    assert!(found * 100 >= all * 90, "{found} of {all}: {lost:#?}");
}

proptest! {
    #[test]
    fn no_tear_makes_the_applicant_of_another_person(
        who in 0..PEOPLE.len(),
        other in any::<prop::sample::Index>(),
        // A name goes over two lines at most.
        tears in prop::collection::vec((0usize..64, 0..BETWEEN.len()), 0..4)
            .prop_filter("two lines", |tears| tears.iter().filter(|tear| BETWEEN[tear.1] == "\n").count() < 2),
        text in 0..TEXTS.len(),
        capitals in any::<bool>(),
    ) {
        let (applicant, others) = PEOPLE[who];
        let other = others[other.index(others.len())];
        let there = if capitals { other.to_uppercase() } else { other.to_owned() };
        let text = TEXTS[text].replace("NAME", &torn(&there, &tears));
        prop_assert!(!is_found(&text, applicant), "{} | {}", text, applicant);
    }
}
