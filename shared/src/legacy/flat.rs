//! The flat form: `04_final.json` holds everything but the text.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::json::Object;
use super::names::{FIO_CHARS, PATH_CHARS, applicant, last_part, run_id};
use super::run::{
    LegacyRun, LegacyVerdict, answers_are_json, document_date, ended, identify, in_error, metadata, pages,
    with_verdict, written_codes,
};
use super::{Contents, Part, Unreadable, dates};
use crate::domain::Checks;

/// Characters of a caller's number, at most, as at the intake.
const NUMBER_CHARS: usize = 255;

/// Reads a folder of this form.
pub fn read(contents: &Contents, now: DateTime<Utc>) -> Result<LegacyRun, Unreadable> {
    let end = Object::needed(contents, Part::Final)?;
    answers_are_json(contents)?;
    let legacy_run_id = run_id(contents, &[&end])?;
    let time = |key: &str| -> Result<Option<DateTime<Utc>>, Unreadable> {
        match end.text(key, 64)? {
            None => Ok(None),
            Some(text) => dates::time(&text).map(Some).ok_or_else(|| end.wrong(format!("{key} is no time"))),
        }
    };
    let (created, completed) = (time("created_at")?, time("completed_at")?);
    let seconds = end.seconds("processing_time_seconds")?;
    let began = created.or(completed);
    let identity = identify(&legacy_run_id, began, contents.day, now)?;
    let completed_at = ended(identity.created_at, completed, seconds);

    let text = pages(contents)?;
    let status = end.text("status", 32)?;
    let success = match status.as_deref() {
        Some("success") => true,
        Some("error") => false,
        _ => return Err(end.wrong("status is neither success nor error")),
    };
    let pipeline = end.get("pipeline_error_code");
    let listed = pipeline.into_iter().chain(end.list("rule_errors", 100)?);
    let written = written_codes(&end, "pipeline_error_code or rule_errors", listed)?;
    let mut metadata = metadata(&legacy_run_id, written.clone());
    let (end_of_run, codes) = if success {
        if !contents.has_document {
            return Err(Unreadable::NoDocument);
        }
        if text.is_none() {
            return Err(Unreadable::Missing("01_ocr.json"));
        }
        let doc_date = document_date(end.text("extracted_doc_date", FIO_CHARS)?, &mut metadata);
        with_verdict(verdict(&end, doc_date)?, &written, |what| end.wrong(what))?
    } else {
        in_error(&written)
    };

    let path = end.text("external_s3_path", PATH_CHARS)?;
    if let Some(path) = &path {
        metadata.insert("legacy_s3_path".to_owned(), json!(path));
    }
    let iin = end.text_or_number("external_iin", 64)?;
    Ok(LegacyRun {
        run_id: identity.run_id,
        created_at: identity.created_at,
        completed_at,
        validity_day: dates::old_day(identity.created_at),
        fio: applicant(&end)?,
        iin: iin.filter(|iin| iin.len() == 12 && iin.bytes().all(|b| b.is_ascii_digit())),
        external_request_id: end.text_or_number("external_request_id", NUMBER_CHARS)?,
        original_filename: path.as_deref().and_then(last_part),
        trace_id: trace_id(end.get("trace_id")),
        metadata,
        end: end_of_run,
        codes,
        pages: text.unwrap_or_default(),
        ocr_seconds: None,
        llm_seconds: None,
        legacy_run_id,
    })
}

fn verdict(end: &Object, doc_date: Option<chrono::NaiveDate>) -> Result<LegacyVerdict, Unreadable> {
    let given = end.flag("rule_verdict")?.ok_or_else(|| end.wrong("rule_verdict is missing"))?;
    let checks = Checks {
        fio_match: end.flag("rule_fio_match")?,
        doc_type_known: end.flag("rule_doc_type_known")?,
        doc_date_valid: end.flag("rule_doc_date_valid")?,
        single_doc_type: end.flag("rule_single_doc_type")?,
    };
    Ok(LegacyVerdict {
        verdict: given,
        checks,
        fio: end.text("extracted_fio", FIO_CHARS)?,
        doc_date,
        doc_type: end.text("extracted_doc_type", FIO_CHARS)?,
        single_doc_type: end.flag("extracted_single_doc_type")?,
        doc_type_known: end.flag("extracted_doc_type_known")?,
    })
}

/// 32 digits, with or without a UUID's hyphens; what is anything else is left out.
fn trace_id(value: Option<&Value>) -> Option<String> {
    let text: String = value?.as_str()?.chars().filter(|c| *c != '-').collect();
    let text = text.to_ascii_lowercase();
    (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text)
}
