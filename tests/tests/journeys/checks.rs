//! Verdicts: a valid document, each check that fails, and documents that nothing can be said of.

use harness::caller::{codes, form};
use harness::papers::{APPLICANT, TITLE, certificate, certificate_of, pdf};
use harness::services::checkout;
use harness::stack::Stack;
use serde_json::{Value, json};

const DATIVE: &str = "Круглову Олегу Дмитриевичу";

/// What a run says of its document: verdict, checks in the contract's order, codes.
fn judged(run: &Value) -> (Value, Value, Vec<&str>) {
    let checks = &run["checks"];
    let names = ["fio_match", "doc_type_known", "doc_date_valid", "single_doc_type"];
    (run["verdict"].clone(), names.iter().map(|name| checks[*name].clone()).collect(), codes(run))
}

async fn judge(stack: &Stack, text: &str, fio: &str) -> Value {
    let pages: Vec<&str> = text.split('\u{c}').collect();
    let run = stack.bank().await.judged(form(pdf(&pages), fio)).await;
    assert_eq!(run["status"], "success", "{run}");
    run
}

#[tokio::test]
async fn a_valid_document_is_accepted_with_its_evidence() {
    let stack = Stack::start().await;
    let run = judge(&stack, &certificate(), APPLICANT).await;
    assert_eq!(judged(&run), (json!(true), json!([true, true, true, true]), vec![]));
    let extracted = json!({"fio": APPLICANT, "doc_date": "2026-11-16", "doc_type": TITLE, "single_doc_type": true, "doc_type_known": true});
    assert_eq!(run["extracted"], extracted);
    assert_eq!(run["evidence"]["fio"]["quote"], DATIVE);
    assert_eq!((&run["stage"], &run["attempts"], &run["generation"]), (&json!("done"), &json!(1), &json!(1)));
    assert_eq!((&run["page_count"], &run["error_code"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn somebody_elses_document_is_a_mismatch() {
    let stack = Stack::start().await;
    let run = judge(&stack, &certificate(), "Петров Игорь Семёнович").await;
    assert_eq!(judged(&run), (json!(false), json!([false, true, true, true]), vec!["FIO_MISMATCH"]));
}

#[tokio::test]
async fn a_document_without_a_name_has_no_match() {
    let stack = Stack::start().await;
    let text = "Карьерный центр города Актау\nСПРАВКА № 90\nо регистрации в качестве безработного\n\
                Дана в том, что предъявитель зарегистрирован в качестве безработного.\nДата выдачи: 16.11.2026 г.";
    let run = judge(&stack, text, APPLICANT).await;
    assert_eq!(judged(&run), (json!(false), json!([false, true, true, true]), vec!["FIO_MISSING"]));
}

#[tokio::test]
async fn a_paper_of_no_known_type_is_judged_by_its_date_all_the_same() {
    let stack = Stack::start().await;
    let text = "Библиотека города Актау\nЧИТАТЕЛЬСКИЙ БИЛЕТ № 90\nВыдан: Круглов Олег Дмитриевич\n\
                Дата выдачи: 16.11.2026 г.\nЗаведующая читальным залом Сулейменова А.Б.";
    let run = judge(&stack, text, APPLICANT).await;
    assert_eq!(judged(&run), (json!(false), json!([true, false, true, true]), vec!["DOC_TYPE_UNKNOWN"]));
}

#[tokio::test]
async fn the_day_of_issue_must_be_there_within_its_term_and_not_to_come() {
    let stack = Stack::start().await;
    for (issued, code) in [
        (None, Some("DOC_DATE_MISSING")),
        (Some("12.10.2026"), Some("DOC_DATE_TOO_OLD")),
        (Some("13.10.2026"), None),
        (Some("22.11.2026"), None),
        (Some("23.11.2026"), Some("DOC_DATE_IN_FUTURE")),
    ] {
        let run = judge(&stack, &certificate_of(DATIVE, issued), APPLICANT).await;
        let valid = code.is_none();
        let expected = (json!(valid), json!([true, true, valid, true]), code.into_iter().collect::<Vec<_>>());
        assert_eq!(judged(&run), expected, "{issued:?}");
    }
}

#[tokio::test]
async fn two_papers_in_one_file_are_several_documents() {
    let stack = Stack::start().await;
    let sick_leave = "ГКП на ПХВ Поликлиника № 3\nЛИСТ ВРЕМЕННОЙ НЕТРУДОСПОСОБНОСТИ № 551204\nДата выдачи: 16.11.2026\n\
                      Фамилия, имя, отчество: Круглов Олег Дмитриевич\nОсвобождение от работы: с 16.11.2026 по 20.11.2026";
    let run = judge(&stack, &format!("{}\u{c}{sick_leave}", certificate()), APPLICANT).await;
    assert_eq!(judged(&run), (json!(false), json!([true, null, true, false]), vec!["MULTIPLE_DOCUMENTS"]));
    assert_eq!(run["page_count"], 2);
}

#[tokio::test]
async fn all_checks_that_fail_are_told_in_the_order_of_their_integers() {
    let stack = Stack::start().await;
    let run = judge(&stack, &certificate_of(DATIVE, Some("16.11.2020")), "Петров Игорь Семёнович").await;
    assert_eq!(codes(&run), ["DOC_DATE_TOO_OLD", "FIO_MISMATCH"]);
    assert_eq!(run["error_code"], "DOC_DATE_TOO_OLD");
    let old = &run["errors"][0];
    assert_eq!(
        (&old["int_code"], &old["category"], &old["retryable"]),
        (&json!(2), &json!("client_error"), &json!(false))
    );
}

#[tokio::test]
async fn a_scan_is_read_by_tesseract_and_one_that_shows_nothing_is_an_error() {
    let stack = Stack::start().await;
    let bank = stack.bank().await;
    let sample = |name: &str| std::fs::read(checkout().join("tests/documents").join(name)).expect("a sample");
    let scan = bank.submit(form(sample("d029.pdf"), "Семён Семёнович Морозов")).await;
    let blank = bank.submit(form(sample("d051.jpg"), "Турсынбай Жулдыз Асхаткызы")).await;
    let run = bank.finished(scan).await;
    assert_eq!(judged(&run), (json!(true), json!([true, true, true, true]), vec![]));
    let (_, pages) = harness::caller::answer(bank.get(&format!("/v1/runs/{scan}/pages"))).await;
    assert_eq!(pages["items"][0]["source"], "tesseract", "{pages}");
    let run = bank.finished(blank).await;
    assert_eq!(
        (&run["status"], &run["verdict"], &run["checks"]["fio_match"]),
        (&json!("error"), &Value::Null, &Value::Null)
    );
    assert!(["DOCUMENT_UNREADABLE", "OCR_EMPTY_PAGES"].contains(&codes(&run)[0]), "{run}");
}
