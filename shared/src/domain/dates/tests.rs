use proptest::prelude::*;

use super::*;

fn ymd(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a date")
}

#[test]
fn every_printed_form_of_both_languages_is_read() {
    for text in [
        "«04» декабря 2023 г.",
        "4 декабря 2023 года",
        "от \"04\" декабря 2023г.",
        "« 04 » декабря 2023 г.",
        "«04» ДЕКАБРЯ 2023 Г.",
        "4 желтоқсан 2023 ж.",
        "2023 жылғы 4 желтоқсан",
        "2023 жылғы «04» желтоқсандағы № 5 бұйрық",
        "2023 ж. 4 желтоқсан",
        "04/12/2023 жыл",
        "2023-12-04",
        "№ 641,04.12.2023",
        "2023.12.04",
        "04.12.2023",
        "04. 12. 2023",
        "4.12.2023 г.",
        "04-12-2023",
        "04.12.23",
        "04.12.23 г.",
        "04,12.2023",
        "04·12.2023",
        "0412.2023",
        "04.122023 г.",
        "О4.12.2О23",
        "04 дек. 2023",
        "04 Dec 2023",
        "04 DEC 2023",
        "Dec 4, 2023",
        "«_04_» __декабря__ 2023 г.",
        "04.12.2023 19:12",
    ] {
        assert_eq!(parse(text), Some(ymd(2023, 12, 4)), "{text}");
    }
}

#[test]
fn a_spelled_month_with_a_misread_letter_is_read() {
    for (text, month) in [
        ("«04» декабрл 2023 г.", 12),
        ("4 желтоксан 2023 ж.", 12),
        ("2023 жылғы 4 караша", 11),
        ("2023 жылғы 4 қыркуйек", 9),
        ("4 нояоря 2023", 11),
        ("4 септября 2023", 9),
        ("4 августа 2023", 8),
        ("4 июня 2023", 6),
        ("«04» мая 2023 г.", 5),
        ("4 июля 2023", 7),
    ] {
        assert_eq!(parse(text), Some(ymd(2023, month, 4)), "{text}");
    }
}

#[test]
fn impossible_dates_are_refused_not_mended() {
    for text in [
        "30.02.2026",
        "32.01.2026",
        "04.13.2023",
        "29.02.2025",
        "00.12.2023",
        "2023-13-04",
        "31 апреля 2026 г.",
        "«____» ______________ 20___ г.",
        "04.12",
        "декабря 2023",
        "БИН 040120231234",
        "1.2.3.4",
        "S83.6",
        "45,2.12",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn two_dates_of_a_period_are_two_candidates_with_their_places() {
    let text = "с 30.01.2023–31.01.2026 г.";
    let found = find(text);
    assert_eq!(found.iter().map(|c| c.date).collect::<Vec<_>>(), [ymd(2023, 1, 30), ymd(2026, 1, 31)]);
    assert_eq!(&text[found[1].span.clone()], "31.01.2026 г.");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_and_spans_are_of_the_text(text in any::<String>()) {
        for candidate in find(&text) {
            prop_assert!(text.get(candidate.span).is_some());
        }
    }

    #[test]
    fn a_date_is_read_back_from_every_form(days in 0i32..40_000) {
        let date = ymd(1990, 1, 1) + chrono::Days::new(u64::from(days.unsigned_abs()));
        let month = ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября",
            "ноября", "декабря"][date.month0() as usize];
        let ai = ["қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым", "шілде", "тамыз", "қыркүйек", "қазан",
            "қараша", "желтоқсан"][date.month0() as usize];
        for text in [
            date.format("%d.%m.%Y").to_string(),
            date.format("%Y-%m-%d").to_string(),
            date.format("%d/%m/%Y жыл").to_string(),
            format!("«{}» {month} {} г.", date.format("%d"), date.year()),
            format!("{} жылғы {} {ai}", date.year(), date.day()),
            format!("{} {ai} {} ж.", date.day(), date.year()),
        ] {
            prop_assert_eq!(parse(&text), Some(date), "{}", text);
        }
    }
}
