//! Whole folders of every vintage, and folders that are none.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::{Checks, ErrorCode, Status};

const UUID: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const STAMPED: &str = "20251126_130742_cc65e";

fn now() -> DateTime<Utc> {
    "2026-11-29T12:00:00Z".parse().expect("a time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn contents(name: &str, form: Form, files: &[(Part, Value)]) -> Contents {
    let bytes = |value: &Value| serde_json::to_vec_pretty(value).expect("JSON");
    let part = |(part, value): &(Part, Value)| (*part, (part.files(form)[0], bytes(value)));
    Contents {
        name: name.to_owned(),
        day: day("2025-11-26"),
        form,
        parts: files.iter().map(part).collect(),
        has_document: true,
    }
}

fn manifest(status: &str, error: &Value) -> Value {
    json!({"run_id": STAMPED, "created_at": "26.11.2025",
        "timing": {"duration_seconds": 9.31, "stamp_seconds": null, "ocr_seconds": 6.2, "llm_seconds": 2.8},
        "user_input": {"fio": "Иванов Иван Иванович"},
        "file": {"original_filename": "Справка 7.pdf", "saved_path": "/etc/passwd", "content_type": "application/pdf", "size_bytes": 611},
        "artifacts": {"final_result_path": "/etc/passwd", "side_by_side_path": null, "merged_path": null},
        "status": status, "error": error})
}

fn ocr() -> Value {
    json!({"pages": [{"page_number": null, "text": "СПРАВКА\u{0}"}, {"page_number": null, "text": "дана"}]})
}

fn result(verdict: bool, codes: &[&str]) -> Value {
    let errors: Vec<Value> = codes.iter().map(|code| json!({ "code": code })).collect();
    json!({"run_id": STAMPED, "verdict": verdict, "errors": errors})
}

fn merged() -> Value {
    json!({"fio": "Иванов Иван Иванович", "doc_date": "04/12/2023", "single_doc_type": true, "doc_type_known": true, "doc_type": "Справка"})
}

fn nested(verdict: bool, codes: &[&str]) -> Vec<(Part, Value)> {
    vec![
        (Part::Manifest, manifest("success", &Value::Null)),
        (Part::Metadata, json!({"fio": "Иванов Иван Иванович", "reason": "декрет", "doc_type": "Справка"})),
        (Part::Ocr, ocr()),
        (
            Part::TypeCheck,
            json!({"single_doc_type": true, "confidence": 0.95, "detected_doc_types": ["Справка"], "reasoning": "…"}),
        ),
        (Part::Extractor, json!({"fio": "Иванов Иван Иванович", "doc_date": "04/12/2023"})),
        (Part::Merged, merged()),
        (Part::Final, result(verdict, codes)),
    ]
}

fn final_flat() -> Value {
    json!({"run_id": UUID, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "created_at": "2025-12-20T10:30:00.123456+05:00", "completed_at": "2025-12-20T10:30:09.923456+05:00",
        "processing_time_seconds": 9.8, "external_request_id": 52015072, "external_s3_path": "s3://bucket/in/приказ.pdf",
        "external_iin": "860101300123", "external_last_name": "Иванов", "external_first_name": "Иван", "external_second_name": "",
        "status": "success", "pipeline_error_code": null, "pipeline_error_message": null,
        "pipeline_error_category": null, "pipeline_error_retryable": null,
        "extracted_fio": "Петров Пётр", "extracted_doc_date": "01.12.2025", "extracted_single_doc_type": true,
        "extracted_doc_type_known": true, "extracted_doc_type": "Справка",
        "rule_fio_match": false, "rule_doc_date_valid": false, "rule_doc_type_known": true, "rule_single_doc_type": true,
        "rule_verdict": false, "rule_errors": [4, 2]})
}

fn flat(end: Value) -> Vec<(Part, Value)> {
    vec![(Part::Final, end), (Part::Ocr, ocr()), (Part::TypeCheck, json!({})), (Part::Extractor, json!([1]))]
}

fn with(mut object: Value, changes: &[(&str, Value)]) -> Value {
    for (key, value) in changes {
        object[*key] = value.clone();
    }
    object
}

fn read_flat(end: Value) -> Result<LegacyRun, Unreadable> {
    read(&contents(UUID, Form::Flat, &flat(end)), now())
}

#[test]
fn a_nested_run_is_read_with_all_that_it_kept() {
    let run = read(&contents(STAMPED, Form::Nested, &nested(false, &["FIO_MISMATCH", "DOC_TYPE_MISMATCH"])), now());
    let run = run.expect("is read");
    assert_eq!(run.legacy_run_id, STAMPED);
    assert_eq!(run.created_at, "2025-11-26T08:07:42Z".parse::<DateTime<Utc>>().expect("a time"));
    assert_eq!((run.completed_at - run.created_at).num_milliseconds(), 9310);
    assert_eq!(run.validity_day, day("2025-11-26"));
    assert_eq!(
        (run.fio.as_deref(), run.original_filename.as_deref()),
        (Some("Иванов Иван Иванович"), Some("Справка 7.pdf"))
    );
    assert_eq!((run.ocr_seconds, run.llm_seconds), (Some(6.2), Some(2.8)));
    assert_eq!(run.codes, [ErrorCode::FioMismatch]);
    let wanted = json!({"legacy_run_id": STAMPED, "legacy_error_codes": ["FIO_MISMATCH", "DOC_TYPE_MISMATCH"],
        "legacy_reason": "декрет", "legacy_doc_type": "Справка"});
    assert_eq!(Value::Object(run.metadata.clone()), wanted);
    let texts: Vec<_> = run.pages.iter().map(|page| (page.number, page.text.as_str())).collect();
    assert_eq!(texts, [(1, "СПРАВКА"), (2, "дана")]);
    let verdict = run.verdict().expect("a verdict");
    assert_eq!((verdict.verdict, verdict.doc_date), (false, Some(day("2023-12-04"))));
    let held = Some(true);
    let checks = Checks { fio_match: Some(false), doc_type_known: held, doc_date_valid: held, single_doc_type: held };
    assert_eq!(verdict.checks, checks);
}

#[test]
fn the_first_vintage_has_its_own_names_and_asked_for_no_known_type() {
    let mut files = nested(true, &[]);
    files.retain(|(part, _)| !matches!(part, Part::TypeCheck | Part::Extractor | Part::Merged));
    let mut contents = contents(STAMPED, Form::Nested, &files);
    let merged = br#"{"single_doc_type": true, "fio": null, "doc_date": null, "doc_type": "X", "stamp_present": true}"#;
    assert_eq!(Part::Merged.files(Form::Nested)[1], "gpt/merged.json");
    contents.parts.insert(Part::Merged, ("gpt/merged.json", merged.to_vec()));
    let timing = json!({"duration_seconds": 5.0, "ocr_seconds": 2.0, "gpt_seconds": 1.5});
    let manifest = with(manifest("success", &Value::Null), &[("timing", timing)]);
    contents.parts.insert(Part::Manifest, ("meta/manifest.json", manifest.to_string().into_bytes()));
    let run = read(&contents, now()).expect("is read");
    assert_eq!(run.llm_seconds, Some(1.5));
    let verdict = run.verdict().expect("a verdict");
    assert_eq!((verdict.checks.doc_type_known, verdict.doc_type_known), (Some(true), None));
}

#[test]
fn a_nested_run_with_a_uuid_is_of_the_noon_of_its_day_each_time() {
    let mut files = nested(true, &[]);
    for (_, value) in &mut files {
        if value.get("run_id").is_some() {
            value["run_id"] = json!(UUID);
        }
    }
    let contents = contents(UUID, Form::Nested, &files);
    let run = read(&contents, now()).expect("is read");
    assert_eq!(run.created_at, "2025-11-26T07:00:00Z".parse::<DateTime<Utc>>().expect("a time"));
    assert_eq!(read(&contents, now()).expect("again").run_id, run.run_id);
    // Without a day of its own it is of the folder's.
    let mut bare = contents;
    bare.day = day("2025-12-05");
    let manifest = with(manifest("success", &Value::Null), &[("run_id", json!(UUID)), ("created_at", Value::Null)]);
    bare.parts.insert(Part::Manifest, ("meta/manifest.json", manifest.to_string().into_bytes()));
    assert_eq!(read(&bare, now()).expect("is read").validity_day, day("2025-12-05"));
}

#[test]
fn a_flat_run_is_read_with_all_that_it_kept() {
    let run = read_flat(final_flat()).expect("is read");
    assert_eq!((run.legacy_run_id.as_str(), run.status()), (UUID, Status::Success));
    assert_eq!(run.created_at.to_rfc3339(), "2025-12-20T05:30:00.123+00:00");
    assert_eq!((run.completed_at - run.created_at).num_milliseconds(), 9800);
    assert_eq!((run.fio.as_deref(), run.iin.as_deref()), (Some("Иванов Иван"), Some("860101300123")));
    assert_eq!(
        (run.external_request_id.as_deref(), run.original_filename.as_deref()),
        (Some("52015072"), Some("приказ.pdf"))
    );
    assert_eq!(run.codes, [ErrorCode::DocDateTooOld, ErrorCode::FioMismatch]);
    assert_eq!(run.metadata["legacy_error_codes"], json!([4, 2]));
    assert_eq!(run.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(run.verdict().expect("a verdict").doc_date, Some(day("2025-12-01")));
}

#[test]
fn the_applicants_name_is_never_taken_from_the_document() {
    let none = [
        ("external_last_name", Value::Null),
        ("external_first_name", Value::Null),
        ("external_second_name", json!("")),
    ];
    let run = read_flat(with(final_flat(), &none)).expect("is read");
    assert_eq!(run.fio, None);
    assert_eq!(run.verdict().and_then(|verdict| verdict.fio.as_deref()), Some("Петров Пётр"));
}

#[test]
fn several_documents_ended_in_an_error_then_and_are_a_verdict_now() {
    let failed = |code: Value| {
        let mut end = final_flat();
        for (key, value) in end.as_object_mut().expect("an object") {
            if key.starts_with("extracted_") || key.starts_with("rule_") {
                *value = Value::Null;
            }
        }
        with(end, &[("status", json!("error")), ("pipeline_error_code", code), ("rule_errors", json!([]))])
    };
    for code in [json!("MULTIPLE_DOCUMENTS"), json!("SINGLE_DOC_TYPE_INVALID"), json!(3)] {
        let run = read_flat(failed(code.clone())).expect("is read");
        let verdict = run.verdict().expect("a verdict");
        assert_eq!((verdict.verdict, verdict.checks.single_doc_type), (false, Some(false)));
        assert_eq!(run.codes, [ErrorCode::MultipleDocuments]);
        assert_eq!(run.metadata["legacy_error_codes"], json!([code]));
    }
    for (code, becomes) in [
        (json!("GPT_FILTER_PARSE_ERROR"), ErrorCode::LlmInvalidResponse),
        (json!(21), ErrorCode::OcrFailed),
        (json!("STAMP_CHECK_MISSING"), ErrorCode::UnknownError),
        (json!("NEVER_HEARD_OF"), ErrorCode::UnknownError),
        (Value::Null, ErrorCode::UnknownError),
    ] {
        let run = read_flat(failed(code)).expect("is read");
        assert_eq!((run.status(), run.verdict(), &run.codes[..]), (Status::Error, None, &[becomes][..]));
    }
}

#[test]
fn a_run_that_stopped_early_has_what_it_came_to() {
    let files = [
        (Part::Manifest, manifest("error", &json!("FILE_SAVE_FAILED"))),
        (Part::Final, result(false, &["FILE_SAVE_FAILED"])),
    ];
    let mut contents = contents(STAMPED, Form::Nested, &files);
    contents.has_document = false;
    let run = read(&contents, now()).expect("is read");
    assert_eq!((run.status(), &run.codes[..]), (Status::Error, &[ErrorCode::FileSaveFailed][..]));
    assert_eq!((run.pages.len(), &run.metadata["legacy_error_codes"]), (0, &json!(["FILE_SAVE_FAILED"])));
}

#[test]
fn a_run_refused_for_its_stamp_alone_stays_refused() {
    let run = read(&contents(STAMPED, Form::Nested, &nested(false, &["STAMP_NOT_PRESENT"])), now()).expect("is read");
    assert_eq!((run.verdict().map(|verdict| verdict.verdict), run.codes.len()), (Some(false), 0));
}

#[test]
fn what_cannot_be_understood_is_told_with_the_file_and_without_a_value() {
    let told = |contents: &Contents| read(contents, now()).expect_err("cannot be read").to_string();
    let mut files = flat(final_flat());
    let whole = contents(UUID, Form::Flat, &files);
    for part in [Part::Final, Part::Ocr, Part::TypeCheck] {
        let mut broken = whole.clone();
        let (name, bytes) = broken.parts.get_mut(&part).expect("is there");
        bytes.pop();
        let name = *name;
        assert!(told(&broken).starts_with(&format!("{name} is no JSON")), "{part:?}");
    }
    for (change, said) in [
        (("status", json!("processing")), "status is neither"),
        (("rule_verdict", json!("no")), "rule_verdict is no true or false"),
        (("rule_verdict", Value::Null), "rule_verdict is missing"),
        (("rule_verdict", json!(true)), "the verdict is true beside errors"),
        (("rule_errors", json!([{"x": "Иванов"}])), "no error code"),
        (("created_at", json!("yesterday")), "created_at is no time"),
        (("created_at", json!("9999-01-01T00:00:00+05:00")), "its time lies outside"),
        (("external_request_id", json!("7".repeat(256))), "more than 255 characters"),
        (("extracted_fio", json!(["Иванов"])), "extracted_fio is no text"),
        (("run_id", json!(7)), "run_id is no text"),
    ] {
        let contents = contents(UUID, Form::Flat, &flat(with(final_flat(), &[change])));
        assert!(told(&contents).contains(said) && !told(&contents).contains("Иванов"), "{}", told(&contents));
    }
    let nameless = contents("backup", Form::Flat, &flat(with(final_flat(), &[("run_id", Value::Null)])));
    assert_eq!(read(&nameless, now()), Err(Unreadable::NoRunId));
    let mut documentless = whole;
    documentless.has_document = false;
    assert_eq!(read(&documentless, now()), Err(Unreadable::NoDocument));
    files.retain(|(part, _)| *part != Part::Final);
    assert!(told(&contents(UUID, Form::Flat, &files)).contains("04_final.json is missing"));
    let mut two = nested(true, &[]);
    two[0].1["run_id"] = json!("20251126_130742_aaaaa");
    assert_eq!(read(&contents(STAMPED, Form::Nested, &two), now()), Err(Unreadable::SeveralRuns));
}

#[test]
fn nesting_without_end_is_told_and_not_followed() {
    let mut deep = contents(UUID, Form::Flat, &flat(final_flat()));
    let endless = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    deep.parts.insert(Part::Ocr, ("01_ocr.json", endless));
    assert!(matches!(read(&deep, now()), Err(Unreadable::NoJson { file: "01_ocr.json", .. })));
}

#[test]
fn pages_keep_their_numbers_or_are_counted_where_these_are_none() {
    let numbers = |given: Value| {
        let pages: Vec<Value> = given
            .as_array()
            .expect("a list")
            .iter()
            .map(|number| json!({"page_number": number, "text": "x"}))
            .collect();
        let mut files = flat(final_flat());
        files[1].1 = json!({ "pages": pages });
        let run = read(&contents(UUID, Form::Flat, &files), now()).expect("is read");
        run.pages.iter().map(|page| page.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(json!([2, 1, 7])), [2, 1, 7]);
    assert_eq!(numbers(json!([1, null])), [1, 2]);
    assert_eq!(numbers(json!([1, 1])), [1, 2]);
    assert_eq!(numbers(json!([0, -3])), [1, 2]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "success",
            "error",
            "2025-12-20T10:30:00+05:00",
            "26.11.2025",
            STAMPED,
            UUID,
            "FIO_MISMATCH"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,10}", inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

/// A good file of which some members were changed for anything.
fn spoilt(good: Value) -> impl Strategy<Value = Value> {
    let keys: Vec<String> = good.as_object().expect("an object").keys().cloned().collect();
    prop::collection::vec((prop::sample::select(keys), any_json()), 0..4).prop_map(move |changes| {
        let mut spoilt = good.clone();
        for (key, value) in changes {
            spoilt[key.as_str()] = value;
        }
        spoilt
    })
}

/// What holds of whatever was read: the record takes it.
fn can_be_kept(run: &LegacyRun) {
    assert_eq!(run.run_id.get_version_num(), 7);
    assert!(run.completed_at >= run.created_at);
    let verdict = run.verdict().map(|verdict| verdict.verdict);
    assert_eq!(run.status() == Status::Success, verdict.is_some());
    assert!(verdict != Some(true) || run.codes.is_empty());
    assert!(run.status() == Status::Success || run.codes.len() == 1);
    let kept = serde_json::to_string(&run.metadata).expect("JSON");
    assert!(!kept.contains("\\u0000"), "PostgreSQL does not take the character 0");
    let mut numbers: Vec<i32> = run.pages.iter().map(|page| page.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() == run.pages.len() && numbers.iter().all(|number| *number > 0));
}

proptest! {
    #[test]
    fn whatever_stands_in_the_files_is_read_or_told(
        flat_form in any::<bool>(),
        name in prop_oneof![Just(UUID.to_owned()), Just(STAMPED.to_owned()), "\\PC{0,20}"],
        files in prop::collection::btree_map(prop::sample::select(Part::ALL.to_vec()), prop::collection::vec(any::<u8>(), 0..80), 0..7),
        has_document in any::<bool>(),
    ) {
        let form = if flat_form { Form::Flat } else { Form::Nested };
        let parts: BTreeMap<_, _> = files.into_iter()
            .filter_map(|(part, bytes)| part.files(form).first().map(|name| (part, (*name, bytes)))).collect();
        let contents = Contents { name, day: day("2025-12-10"), form, parts, has_document };
        if let Ok(run) = read(&contents, now()) { can_be_kept(&run) }
    }

    #[test]
    fn a_flat_run_with_anything_in_its_members_is_read_or_told(end in spoilt(final_flat()), text in any_json()) {
        let files = [(Part::Final, end), (Part::Ocr, text)];
        if let Ok(run) = read(&contents(UUID, Form::Flat, &files), now()) { can_be_kept(&run) }
    }

    #[test]
    fn a_nested_run_with_anything_in_its_members_is_read_or_told(
        manifest in spoilt(manifest("success", &Value::Null)),
        ended in spoilt(result(false, &["FIO_MISMATCH"])),
        merged in spoilt(merged()),
        text in spoilt(ocr()),
    ) {
        let files = [(Part::Manifest, manifest), (Part::Final, ended), (Part::Merged, merged), (Part::Ocr, text)];
        if let Ok(run) = read(&contents(STAMPED, Form::Nested, &files), now()) { can_be_kept(&run) }
    }
}
