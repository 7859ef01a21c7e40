//! The same document once more: the same file, the same paper scanned again, and for whom.

use harness::caller::{codes, form};
use harness::papers::{APPLICANT, certificate, certificate_of, pdf};
use harness::services::checkout;
use harness::stack::Stack;
use serde_json::{Value, json};

/// Photographs, a page that lies on its side, a screenshot; whose they are said to be.
const SAMPLES: &[(&str, &str)] = &[
    ("tests/documents/d055.jpg", "сүлейменов серік жандосұлы"),
    ("tests/documents/d114.jpg", "Семенов Семен Олегович"),
    ("tests/documents/d115.jpg", "Горшенина Ирина Анатольевна"),
    ("tests/types/d093.png", "Шульц Наталья Павловна"),
];

fn flags(run: &Value) -> Vec<&str> {
    run["flags"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn the_same_file_for_another_person_is_flagged_and_refused_only_where_that_is_asked_for() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let file = pdf(&[&certificate()]);
    let first = bank.judged(form(file.clone(), APPLICANT)).await;
    let again = bank.judged(form(file.clone(), "КРУГЛОВ Олег")).await;
    assert_eq!((&again["duplicate_of"], flags(&again).contains(&"document_reused")), (&first["run_id"], false));
    let other = bank.judged(form(file.clone(), "Круглова Ольга Дмитриевна")).await;
    assert_eq!((&other["duplicate_of"], flags(&other).contains(&"document_reused")), (&first["run_id"], true));
    assert_eq!(codes(&other), ["FIO_MISMATCH"], "the flag changes no verdict");
    // For the first person once more: the file has been somebody else's meanwhile.
    let third = bank.judged(form(file.clone(), APPLICANT)).await;
    assert_eq!((&third["verdict"], flags(&third).contains(&"document_reused")), (&json!(true), true));
    let stranger = stack.client("stranger", "submit,read").await.0;
    let theirs = stranger.judged(form(file.clone(), "Круглова Ольга Дмитриевна")).await;
    assert_eq!((&theirs["duplicate_of"], flags(&theirs).contains(&"document_reused")), (&Value::Null, false));

    stack.rb_ocr(&["clients", "set", "bank", "--reused-document", "refuse"]).await;
    let refused = bank.judged(form(file, APPLICANT)).await;
    assert_eq!((&refused["verdict"], codes(&refused)), (&json!(false), vec!["DOCUMENT_REUSED"]));
    assert_eq!(refused["checks"]["fio_match"], true, "the checks are what they are");
}

#[tokio::test]
async fn a_paper_scanned_again_is_known_and_its_neighbours_of_one_template_are_not_taken_for_it() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let page = |text: &str| harness::papers::scan::page(text);
    let scans = harness::papers::scan::again;
    let paper = page(&certificate());
    let applicant = |run: &Value| (run["duplicate_of"].clone(), flags(run).contains(&"document_reused"));
    let first = bank.judged(form(harness::papers::scan::jpeg(&paper, 90), APPLICANT)).await;
    assert_eq!(first["extracted"]["fio"], APPLICANT, "{first}");
    for (number, scan) in scans(&paper).into_iter().enumerate() {
        let run = bank.judged(form(scan, APPLICANT)).await;
        assert_eq!(applicant(&run), (first["run_id"].clone(), false), "scan {number}: {run}");
    }
    // The same template on the same day: another person, and another number for the same one.
    let neighbour = page(&certificate_of("Сулейменову Арману Ерлановичу", Some("16.11.2026")).replace("№ 90", "№ 91"));
    let run = bank.judged(form(harness::papers::scan::jpeg(&neighbour, 90), "Сулейменов Арман Ерланович")).await;
    assert_eq!(applicant(&run), (Value::Null, false), "another person's: {run}");
    let next = page(&certificate_of("Круглову Олегу Дмитриевичу", Some("18.11.2026")).replace("№ 90", "№ 124"));
    let run = bank.judged(form(harness::papers::scan::jpeg(&next, 90), APPLICANT)).await;
    assert_eq!(applicant(&run), (Value::Null, false), "another day's: {run}");
    // And a scan of the first for somebody else.
    let scan = scans(&paper).swap_remove(0);
    let run = bank.judged(form([scan, vec![0]].concat(), "Сулейменов Арман Ерланович")).await;
    assert_eq!(applicant(&run), (first["run_id"].clone(), true), "{run}");
}

#[tokio::test]
async fn a_sample_scanned_again_is_known() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    for (name, fio) in SAMPLES {
        let file = std::fs::read(checkout().join(name)).expect("a sample");
        let first = bank.judged(form(file.clone(), fio)).await;
        let again = bank.judged(form(harness::papers::scan::turned(&file, 1.2), fio)).await;
        assert_eq!(
            (&first["duplicate_of"], &again["duplicate_of"]),
            (&Value::Null, &first["run_id"]),
            "{name}: {again}"
        );
    }
}
