//! The nested form: `meta/manifest.json` was written last, beside `meta/final_result.json`.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use super::json::Object;
use super::names::{FIO_CHARS, PATH_CHARS, last_part, run_id};
use super::run::{
    LegacyRun, LegacyVerdict, answers_are_json, document_date, ended, identify, in_error, metadata, pages,
    with_verdict, written_codes,
};
use super::{Contents, Part, Unreadable, codes, dates};
use crate::domain::{Checks, ErrorCode};

/// Reads a folder of this form.
pub fn read(contents: &Contents, now: DateTime<Utc>) -> Result<LegacyRun, Unreadable> {
    let manifest = Object::needed(contents, Part::Manifest)?;
    let submitted = Object::of(contents, Part::Metadata)?;
    let result = Object::of(contents, Part::Final)?;
    answers_are_json(contents)?;
    let named: Vec<&Object> = [Some(&manifest), result.as_ref()].into_iter().flatten().collect();
    let legacy_run_id = run_id(contents, &named)?;

    let day = manifest.text("created_at", 64)?.and_then(|text| dates::day(&text)).unwrap_or(contents.day);
    let identity = identify(&legacy_run_id, None, day, now)?;
    let timing = manifest.object("timing")?;
    let seconds = |key: &str| timing.as_ref().map_or(Ok(None), |timing| timing.seconds(key));
    let completed_at = ended(identity.created_at, None, seconds("duration_seconds")?);

    let success = match manifest.text("status", 32)?.as_deref() {
        Some("success") => true,
        Some("error") => false,
        _ => return Err(manifest.wrong("status is neither success nor error")),
    };
    let listed = match &result {
        Some(result) => written_codes(result, "errors", result.list("errors", 100)?)?,
        None => Vec::new(),
    };
    let own = written_codes(&manifest, "error", manifest.get("error"))?;
    let mut written = listed;
    written.extend(own.into_iter().filter(|code| !written.contains(code)).collect::<Vec<_>>());

    let mut metadata = metadata(&legacy_run_id, written.clone());
    if let Some(submitted) = &submitted {
        for (key, kept) in [("reason", "legacy_reason"), ("doc_type", "legacy_doc_type")] {
            if let Some(text) = submitted.text(key, PATH_CHARS)? {
                metadata.insert(kept.to_owned(), json!(text));
            }
        }
    }
    let text = pages(contents)?;
    let (end, codes) = if success {
        let Some(result) = &result else { return Err(Unreadable::Missing("meta/final_result.json")) };
        if !contents.has_document {
            return Err(Unreadable::NoDocument);
        }
        if text.is_none() {
            return Err(Unreadable::Missing("ocr/ocr_response_filtered.json"));
        }
        let given = result.flag("verdict")?.ok_or_else(|| result.wrong("verdict is missing"))?;
        let found = found(contents, &mut metadata)?;
        let verdict = judged(given, found, &written);
        with_verdict(verdict, &written, |what| result.wrong(what))?
    } else {
        in_error(&written)
    };

    let input = manifest.object("user_input")?;
    let fio = match input.as_ref().map_or(Ok(None), |input| input.text("fio", FIO_CHARS))? {
        Some(fio) => Some(fio),
        None => submitted.as_ref().map_or(Ok(None), |submitted| submitted.text("fio", FIO_CHARS))?,
    };
    let file = manifest.object("file")?;
    let filename = file.as_ref().map_or(Ok(None), |file| file.text("original_filename", PATH_CHARS))?;
    let llm_seconds = seconds("llm_seconds")?;
    Ok(LegacyRun {
        run_id: identity.run_id,
        created_at: identity.created_at,
        completed_at,
        validity_day: dates::old_day(identity.created_at),
        fio,
        iin: None,
        external_request_id: None,
        original_filename: filename.as_deref().and_then(last_part),
        trace_id: None,
        metadata,
        end,
        codes,
        pages: text.unwrap_or_default(),
        ocr_seconds: seconds("ocr_seconds")?,
        llm_seconds: if llm_seconds.is_some() { llm_seconds } else { seconds("gpt_seconds")? },
        legacy_run_id,
    })
}

/// What was found in the document.
#[derive(Default)]
struct Found {
    fio: Option<String>,
    doc_date: Option<NaiveDate>,
    doc_type: Option<String>,
    single_doc_type: Option<bool>,
    doc_type_known: Option<bool>,
}

/// From `merged.json`; where that is missing, from the two answers that it was made of.
fn found(contents: &Contents, metadata: &mut serde_json::Map<String, serde_json::Value>) -> Result<Found, Unreadable> {
    let mut sources = Vec::new();
    match Object::of(contents, Part::Merged)? {
        Some(merged) => sources.push(merged),
        None => {
            for part in [Part::TypeCheck, Part::Extractor] {
                sources.extend(Object::of(contents, part)?);
            }
        }
    }
    if sources.is_empty() {
        return Err(Unreadable::Missing("llm/merged.json"));
    }
    let mut found = Found::default();
    for source in &sources {
        found.fio = source.text("fio", FIO_CHARS)?.or(found.fio);
        found.doc_date = document_date(source.text("doc_date", FIO_CHARS)?, metadata).or(found.doc_date);
        found.doc_type = source.text("doc_type", FIO_CHARS)?.or(found.doc_type);
        found.single_doc_type = source.flag("single_doc_type")?.or(found.single_doc_type);
        found.doc_type_known = source.flag("doc_type_known")?.or(found.doc_type_known);
    }
    Ok(found)
}

/// This form kept the codes of what failed and not the checks: a check without a code held. Whether a type was known
/// was not asked in the beginning; then only an accepted run says so.
fn judged(verdict: bool, found: Found, written: &[serde_json::Value]) -> LegacyVerdict {
    let codes: Vec<ErrorCode> = written.iter().filter_map(codes::becomes).collect();
    let none_of = |wrong: &[ErrorCode]| !codes.iter().any(|code| wrong.contains(code));
    let by_code = |wrong: ErrorCode, said: Option<bool>| match (none_of(&[wrong]), said) {
        (false, _) => Some(false),
        (true, Some(said)) => Some(said),
        (true, None) => verdict.then_some(true),
    };
    let single_doc_type = by_code(ErrorCode::MultipleDocuments, found.single_doc_type);
    let doc_type_known = by_code(ErrorCode::DocTypeUnknown, found.doc_type_known);
    LegacyVerdict {
        verdict,
        checks: Checks {
            fio_match: Some(none_of(&[ErrorCode::FioMismatch, ErrorCode::FioMissing])),
            doc_type_known: doc_type_known.filter(|_| single_doc_type != Some(false)),
            doc_date_valid: Some(none_of(&[
                ErrorCode::DocDateTooOld,
                ErrorCode::DocDateMissing,
                ErrorCode::DocDateInFuture,
            ])),
            single_doc_type,
        },
        fio: found.fio,
        doc_date: found.doc_date,
        doc_type: found.doc_type,
        single_doc_type: found.single_doc_type,
        doc_type_known: found.doc_type_known,
    }
}
