use super::*;
use crate::domain::page::PageSource;
use crate::domain::rules;

const APPLICANT: &str = "Ахметов Данияр Серикович";

const PAPER: &str = "Карьерный центр города Актау\nСПРАВКА № 90\nо регистрации в качестве безработного\n\
    Дана гр. Ахметову Данияру Сериковичу\nв том, что он зарегистрирован в качестве безработного.\n\
    Дата выдачи: 16.11.2026 г.\nДиректор центра Сулейменова А.Б.";

/// Each word in a place that follows from its line and column.
fn page(text: &str, source: PageSource) -> Page {
    let mut words = Vec::new();
    for (line, row) in (0u16..).zip(text.lines()) {
        let mut x = 50;
        for word in row.split_whitespace() {
            let width = 8 * u16::try_from(word.chars().count()).expect("a short word");
            let rect = Rect { x, y: 40 + 20 * line, width, height: 12 };
            words.push(Word { text: word.to_owned(), rect, confidence: 0.9, line: u32::from(line) });
            x += width + 8;
        }
    }
    Page { number: 1, text: text.to_owned(), words, confidence: Some(0.9), source }
}

fn agree(written: &str, seen: &str) -> bool {
    let layer = [page(written, PageSource::TextLayer)];
    let analysis = rules::analyse(&layer, APPLICANT);
    assert!(analysis.extraction.fio.is_some() && analysis.extraction.doc_date.is_some());
    assert!(analysis.classification.doc_type.is_some());
    agrees(&layer, &[page(seen, PageSource::Tesseract)], APPLICANT, &analysis)
}

#[test]
fn a_layer_that_says_what_is_seen_agrees_also_where_letters_are_misread() {
    assert!(agree(PAPER, PAPER));
    assert!(agree(PAPER, &PAPER.replace("Карьерный", "Карьериый").replace("Директор", "Директар")));
}

#[test]
fn another_name_another_date_and_another_title_are_seen() {
    assert!(!agree(PAPER, &PAPER.replace("Ахметову", "Ахмедову")));
    assert!(!agree(PAPER, &PAPER.replace("Данияру", "Даулету")));
    assert!(!agree(PAPER, &PAPER.replace("16.11.2026", "16.11.2025")));
    assert!(!agree(PAPER, &PAPER.replace("о регистрации", "о намерении")));
}

#[test]
fn what_is_written_and_not_seen_and_what_is_seen_and_not_written_are_no_agreement() {
    let (first, rest) = PAPER.split_once("\nДиректор").expect("a signer");
    let more = "\nНастоящая справка недействительна и была отозвана центром занятости населения";
    let other = format!("{first}{more}\nДиректор{rest}");
    assert!(!agree(PAPER, &other));
    assert!(!agree(&other, PAPER));
}

#[test]
fn a_word_elsewhere_on_the_page_is_not_in_its_place() {
    let layer = [page(PAPER, PageSource::TextLayer)];
    let analysis = rules::analyse(&layer, APPLICANT);
    let mut seen = page(PAPER, PageSource::Tesseract);
    for word in seen.words.iter_mut().filter(|word| word.text == "Ахметову") {
        word.rect.y += 400;
    }
    assert!(!agrees(&layer, &[seen], APPLICANT, &analysis));
}

#[test]
fn a_stamp_over_the_page_does_not_matter() {
    let mut seen = page(PAPER, PageSource::Tesseract);
    seen.words.push(Word {
        text: "ПЕЧАТЬ".to_owned(),
        rect: Rect { x: 700, y: 700, width: 80, height: 12 },
        confidence: 0.9,
        line: 9,
    });
    let layer = [page(PAPER, PageSource::TextLayer)];
    assert!(agrees(&layer, &[seen], APPLICANT, &rules::analyse(&layer, APPLICANT)));
}

#[test]
fn a_page_that_was_not_looked_at_says_nothing() {
    let layer = [page(PAPER, PageSource::TextLayer)];
    assert!(agrees(&layer, &[], APPLICANT, &rules::analyse(&layer, APPLICANT)));
}
