//! Who is named in a document that is somebody else's.

use super::*;

const ORDER: &str = "ТОО «Север»\nПРИКАЗ № 14\nот 16.11.2026\nо предоставлении отпуска\n\
    Предоставить Ким Инне Сергеевне, оператору, отпуск по уходу за ребенком (Ким Светлана Семёновна, 12.06.2026 г. рождения).\n\
    Главному бухгалтеру Жунусову Б.Е. произвести необходимые расчёты.\n\
    Директор Омарова С.Е.\nС приказом ознакомлена: И.С. Ким\nИсп. Шульц О.А.";

fn is(name: &str) -> bool {
    is_bystander(&pages(ORDER), name)
}

#[test]
fn signers_clerks_and_children_are_bystanders() {
    for name in ["Омарова С.Е.", "Жунусов Б.Е.", "Шульц О.А.", "Ким Светлана Семёновна"]
    {
        assert!(is(name), "{name}");
    }
}

#[test]
fn a_name_that_the_text_gives_in_initials_only_is_not_told_in_full() {
    assert!(!is("Омарова Сауле Ерлановна"));
}

#[test]
fn whose_document_it_is_is_none_in_whatever_form() {
    for name in ["Ким Инна Сергеевна", "Ким Инне Сергеевне", "Ким И.С.", "Ким Инна"]
    {
        assert!(!is(name), "{name}");
    }
}

#[test]
fn one_who_signs_a_document_about_himself_is_none() {
    let own = "ПРИКАЗ\nПриказываю предоставить отпуск Омаровой Сауле Ерлановне.\nДиректор Омарова С.Е.";
    assert!(!is_bystander(&pages(own), "Омарова Сауле Ерлановна") && !is_bystander(&pages(own), "Омарова С.Е."));
}

#[test]
fn of_a_name_that_is_not_there_nothing_is_certain() {
    assert!(!is("Белов Иван Ильич") && !is(""));
}

#[test]
fn all_whose_documents_these_are_are_none() {
    for (_, fio, _, text) in DOCUMENTS {
        assert!(!is_bystander(&pages(text), fio), "{fio}\n{text}");
    }
}
