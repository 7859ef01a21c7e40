use serde_json::{Value, json};

use super::*;

fn label(case: &str, expected: &Value) -> Value {
    json!({"file": "a.pdf", "case": case, "capture": "scan", "noise": "hard", "language": "ru", "expected": expected})
}

fn valid() -> Value {
    json!({"status": "success", "verdict": true, "doc_type": "Справка об инвалидности", "fio": "Жүнісов Әлі Ерланұлы",
        "fio_accept": ["Жунисов Али Ерланулы"], "doc_date": "2026-02-03", "error_codes": [],
        "checks": {"fio_match": true, "doc_type_known": true, "doc_date_valid": true, "single_doc_type": true}})
}

fn report(labels: &[Value], answers: &[Value]) -> Report {
    let labels: Vec<Label> =
        labels.iter().map(|label| serde_json::from_value(label.clone()).expect("a label")).collect();
    let answers: Vec<Answer> =
        answers.iter().map(|answer| serde_json::from_value(answer.clone()).expect("an answer")).collect();
    score(&labels, &answers, |_| Some("Справка об инвалидности".to_owned()))
}

fn all(case: &str, expected: &Value, answer: Value) -> Score {
    let mut answer = answer;
    answer["file"] = json!("a.pdf");
    report(&[label(case, expected)], &[answer]).all
}

const fn count(hits: usize, of: usize) -> Count {
    Count { hits, of }
}

#[test]
fn a_right_answer_is_right_in_everything() {
    let answer = json!({"status": "success", "verdict": true, "errors": [], "text": "Справка об инвалидности",
        "checks": {"fio_match": true, "doc_type_known": true, "doc_date_valid": true, "single_doc_type": true},
        "extracted": {"fio": "ЖҮНІСОВ  ӘЛІ ЕРЛАНҰЛЫ", "doc_date": "2026-02-03", "doc_type": "Справка об инвалидности"}});
    let score = all("valid", &valid(), answer);
    for right in [score.verdict, score.fio_match, score.single_doc_type, score.doc_type, score.fio, score.doc_date] {
        assert_eq!(right, count(1, 1));
    }
    assert_eq!((score.false_accepts, score.false_rejects, score.error_codes), (count(0, 0), count(0, 1), count(1, 1)));
    assert_eq!((score.letters_lost, score.with_text), (Some(0.0), 1));
}

#[test]
fn the_other_spelling_is_told_apart_from_the_first() {
    let answer = json!({"status": "success", "verdict": true, "extracted": {"fio": "Жунисов Али Ерланулы"}});
    let score = all("valid", &valid(), answer);
    assert_eq!((score.fio, score.fio_either_spelling), (count(0, 1), count(1, 1)));
}

#[test]
fn a_refusal_of_a_good_paper_and_an_accepted_bad_one_are_told_apart() {
    let score = all("valid", &valid(), json!({"status": "success", "verdict": false}));
    assert_eq!((score.verdict, score.false_rejects, score.false_accepts), (count(0, 1), count(1, 1), count(0, 0)));
    let mut refused = valid();
    refused["verdict"] = json!(false);
    let score = all("expired", &refused, json!({"status": "success", "verdict": true}));
    assert_eq!((score.verdict, score.false_rejects, score.false_accepts), (count(0, 1), count(0, 0), count(1, 1)));
}

#[test]
fn what_cannot_be_read_should_fail_and_must_not_be_accepted() {
    let expected = json!({"status": "error", "verdict": null, "checks": {"fio_match": null}});
    let score = all("unreadable", &expected, json!({"status": "error", "verdict": null}));
    assert_eq!((score.verdict, score.unreadable, score.false_accepts), (count(1, 1), count(1, 1), count(0, 1)));
    let score = all("unreadable", &expected, json!({"status": "success", "verdict": false}));
    assert_eq!((score.verdict, score.unreadable), (count(1, 1), count(0, 1)), "refused, if not as it should be");
    let score = all("unreadable", &expected, json!({"status": "success", "verdict": true}));
    assert_eq!((score.verdict, score.false_accepts), (count(0, 1), count(1, 1)));
    assert_eq!((score.fio.of, score.doc_date.of, score.fio_match.of), (0, 0, 0));
}

#[test]
fn nothing_to_find_is_found_by_saying_nothing() {
    let expected = json!({"status": "success", "verdict": false, "fio": null, "doc_date": null, "doc_type": null});
    let silent = json!({"status": "success", "verdict": false, "extracted": {"fio": null, "doc_date": null}});
    let score = all("missing-date", &expected, silent.clone());
    assert_eq!((score.fio, score.doc_date, score.doc_type), (count(1, 1), count(1, 1), count(0, 0)));
    let score = all("unknown-type", &expected, silent);
    assert_eq!(score.doc_date, count(0, 0), "a date of another paper is not scored");
    let told = json!({"status": "success", "verdict": false, "extracted": {"fio": "Ким Ли", "doc_date": "2026-01-01"}});
    let score = all("missing-date", &expected, told.clone());
    assert_eq!((score.fio, score.fio_either_spelling, score.doc_date), (count(0, 1), count(0, 1), count(0, 1)));
    assert_eq!(all("several-types", &expected, told).fio, count(0, 0), "each paper has a name of its own");
}

#[test]
fn expected_errors_must_be_there_and_where_none_are_expected_none_may_be() {
    let mut old = valid();
    old["error_codes"] = json!(["DOC_DATE_TOO_OLD"]);
    let errors = |codes: &[&str]| {
        let errors: Vec<Value> = codes.iter().map(|code| json!({"code": code})).collect();
        json!({"status": "success", "verdict": false, "errors": errors})
    };
    assert_eq!(all("expired", &old, errors(&["FIO_MISMATCH", "DOC_DATE_TOO_OLD"])).error_codes, count(1, 1));
    assert_eq!(all("expired", &old, errors(&["FIO_MISMATCH"])).error_codes, count(0, 1));
    assert_eq!(all("valid", &valid(), errors(&["FIO_MISMATCH"])).error_codes, count(0, 1));
}

#[test]
fn a_document_without_an_answer_is_wrong_but_not_accepted() {
    let mut refused = valid();
    refused["verdict"] = json!(false);
    refused["fio"] = Value::Null;
    let report = report(&[label("missing-name", &refused)], &[]);
    assert_eq!((report.unanswered, report.all.verdict, report.all.fio), (1, count(0, 1), count(0, 1)));
    assert_eq!(report.all.false_accepts, count(0, 1));
    assert_eq!(report.wrong[0].what[0], "verdict: none, expected false");
}

#[test]
fn groups_stand_from_the_easiest_and_pages_and_the_models_calls_are_added_up() {
    let named = |file: &str, noise: &str| {
        let mut label = label("valid", &valid());
        (label["file"], label["noise"]) = (json!(file), json!(noise));
        label
    };
    let answer = |file: &str, layer: usize, calls: usize| {
        json!({"file": file, "verdict": true, "page_count": 2, "reading": {"text_layer": layer, "second_attempts": 1},
            "llm": {"calls": calls, "tokens": 100 * calls}, "analyzer": "cascade", "ocr_engine": "tesseract"})
    };
    let report = report(
        &[named("a", "hard"), named("b", "clean"), named("c", "odd")],
        &[answer("a", 0, 0), answer("b", 1, 2), answer("c", 0, 1)],
    );
    let noise: Vec<&str> = report.by_noise.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(noise, ["clean", "hard", "odd"]);
    assert_eq!(report.pages, Pages { layered_documents: 1, pictures: 2, second_attempts: count(3, 5) });
    assert_eq!(report.model, Some(Model { documents: count(2, 3), calls: 3, tokens: 300 }));
    assert_eq!(report.by.analyzer.as_deref(), Some("cascade"));
}
