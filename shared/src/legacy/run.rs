//! An old run as it is kept here, and what both forms have in common.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::json::{Object, clean, value};
use super::{Contents, Part, Unreadable, codes, dates, ids};
use crate::domain::{Checks, ErrorCode, Status};

/// Pages of a document, at most.
const MOST_PAGES: usize = 2000;

/// Bytes of one page's text, at most: its words must fit into PostgreSQL's index of a text, which holds a megabyte.
const PAGE_BYTES: usize = 256 * 1024;

/// One page's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyPage {
    /// From 1.
    pub number: i32,
    /// What was read.
    pub text: String,
}

/// What was found, and the verdict of then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LegacyVerdict {
    /// As it was given.
    pub verdict: bool,
    /// The checks, as far as they are known.
    pub checks: Checks,
    /// Name in the document.
    pub fio: Option<String>,
    /// Its date.
    pub doc_date: Option<NaiveDate>,
    /// Its type, in the words of then.
    pub doc_type: Option<String>,
    /// One type in the file?
    pub single_doc_type: Option<bool>,
    /// A known one?
    pub doc_type_known: Option<bool>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegacyEnd {
    /// With a verdict.
    Verdict(Box<LegacyVerdict>),
    /// Without one.
    Error,
}

/// An old run.
#[derive(Clone, Debug, PartialEq)]
pub struct LegacyRun {
    /// Its id of then.
    pub legacy_run_id: String,
    /// Its id here.
    pub run_id: Uuid,
    /// The time inside `run_id`.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
    /// The day that its date was judged by.
    pub validity_day: NaiveDate,
    /// The applicant; none where the name was not kept.
    pub fio: Option<String>,
    /// 12 digits.
    pub iin: Option<String>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// How the file was called.
    pub original_filename: Option<String>,
    /// W3C trace id, where it is one.
    pub trace_id: Option<String>,
    /// `legacy_run_id`, `legacy_error_codes` and what has no column.
    pub metadata: Map<String, Value>,
    /// How it ended.
    pub end: LegacyEnd,
    /// Its codes in the words of today, by their integers.
    pub codes: Vec<ErrorCode>,
    /// What was read.
    pub pages: Vec<LegacyPage>,
    /// Seconds of reading.
    pub ocr_seconds: Option<f64>,
    /// Seconds of the model.
    pub llm_seconds: Option<f64>,
}

impl LegacyRun {
    /// `success` or `error`.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self.end {
            LegacyEnd::Verdict(_) => Status::Success,
            LegacyEnd::Error => Status::Error,
        }
    }

    /// What was found, where there is a verdict.
    #[must_use]
    pub fn verdict(&self) -> Option<&LegacyVerdict> {
        match &self.end {
            LegacyEnd::Verdict(verdict) => Some(verdict),
            LegacyEnd::Error => None,
        }
    }
}

/// Id and time of a run.
pub struct Identity {
    pub run_id: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Gives an old run its id. Its time is that in its old id, or else what its files say, or else the noon of its day.
pub fn identify(
    legacy_run_id: &str,
    said: Option<DateTime<Utc>>,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Identity, Unreadable> {
    let stamped = match ids::OldId::read(legacy_run_id) {
        Some(ids::OldId::Stamped(at)) => Some(at),
        _ => None,
    };
    let at = stamped.or(said).or_else(|| dates::noon(day)).filter(|at| dates::is_possible(*at, now));
    let at = at.ok_or(Unreadable::ImpossibleTime)?;
    let at = DateTime::from_timestamp_millis(at.timestamp_millis()).ok_or(Unreadable::ImpossibleTime)?;
    Ok(Identity { run_id: ids::run_id(at, legacy_run_id), created_at: at })
}

/// When it ended, to the millisecond, and never before it began.
pub fn ended(created_at: DateTime<Utc>, said: Option<DateTime<Utc>>, seconds: Option<f64>) -> DateTime<Utc> {
    let by_seconds = || {
        let millis = (seconds? * 1000.0).round() as i64;
        Some(created_at + chrono::TimeDelta::milliseconds(millis))
    };
    let at = said.filter(|at| *at >= created_at).or_else(by_seconds).unwrap_or(created_at);
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(created_at)
}

/// The codes as they were written, in order and each once: what `metadata.legacy_error_codes` keeps.
pub fn written_codes<'a>(
    object: &Object,
    key: &str,
    listed: impl IntoIterator<Item = &'a Value>,
) -> Result<Vec<Value>, Unreadable> {
    let mut written: Vec<Value> = Vec::new();
    for item in listed {
        let code = item.get("code").unwrap_or(item);
        if !codes::is_code(code) {
            return Err(object.wrong(format!("{key} holds what is no error code")));
        }
        if !written.contains(code) {
            written.push(code.clone());
        }
    }
    Ok(written)
}

/// How a run with a verdict ended. `verdict` holds what was found; its own verdict counts.
pub fn with_verdict(
    verdict: LegacyVerdict,
    written: &[Value],
    wrong: impl Fn(&str) -> Unreadable,
) -> Result<(LegacyEnd, Vec<ErrorCode>), Unreadable> {
    let codes = written.iter().filter_map(codes::becomes).filter(|code| code.status() == Status::Success);
    let codes = in_order(codes.collect());
    if verdict.verdict && !codes.is_empty() {
        return Err(wrong("the verdict is true beside errors"));
    }
    Ok((LegacyEnd::Verdict(Box::new(verdict)), codes))
}

/// How a run in error ended. Several documents ended one in error then; now it is a verdict, `false`.
pub fn in_error(written: &[Value]) -> (LegacyEnd, Vec<ErrorCode>) {
    let codes: Vec<ErrorCode> = written.iter().filter_map(codes::becomes).collect();
    if codes.contains(&ErrorCode::MultipleDocuments) {
        let verdict = LegacyVerdict {
            checks: Checks { single_doc_type: Some(false), ..Checks::default() },
            single_doc_type: Some(false),
            ..LegacyVerdict::default()
        };
        return (LegacyEnd::Verdict(Box::new(verdict)), vec![ErrorCode::MultipleDocuments]);
    }
    (LegacyEnd::Error, vec![codes.first().copied().unwrap_or(ErrorCode::UnknownError)])
}

fn in_order(mut codes: Vec<ErrorCode>) -> Vec<ErrorCode> {
    codes.sort_by_key(|code| code.int_code());
    codes.dedup();
    codes
}

/// The recognised pages. Where the numbers are not a page's each, they count as they stand.
pub fn pages(contents: &Contents) -> Result<Option<Vec<LegacyPage>>, Unreadable> {
    let Some(object) = Object::of(contents, Part::Ocr)? else {
        return Ok(None);
    };
    let mut pages: Vec<LegacyPage> = Vec::new();
    let mut numbered = true;
    for item in object.list("pages", MOST_PAGES)? {
        let text = match item.get("text") {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(_) => return Err(object.wrong("a page's text is no text")),
        };
        if !item.is_object() || text.len() > PAGE_BYTES {
            return Err(object.wrong("a page is no object, or has more text than is kept"));
        }
        let number = match item.get("page_number") {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            Some(_) => return Err(object.wrong("a page's number is no number")),
        };
        let number = number.filter(|number| *number > 0 && pages.iter().all(|page| page.number != *number));
        numbered &= number.is_some();
        pages.push(LegacyPage { number: number.unwrap_or(0), text: clean(text) });
    }
    if !numbered {
        for (at, page) in pages.iter_mut().enumerate() {
            page.number = i32::try_from(at + 1).unwrap_or(i32::MAX);
        }
    }
    Ok(Some(pages))
}

/// The model's answers must be JSON, whatever their shape: a file that is cut off makes the folder half written.
pub fn answers_are_json(contents: &Contents) -> Result<(), Unreadable> {
    for part in [Part::TypeCheck, Part::Extractor, Part::Merged] {
        value(contents, part)?;
    }
    Ok(())
}

/// What every imported run's metadata holds.
pub fn metadata(legacy_run_id: &str, written: Vec<Value>) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("legacy_run_id".to_owned(), json!(legacy_run_id));
    metadata.insert("legacy_error_codes".to_owned(), Value::Array(written));
    metadata
}

/// Puts the document's date into its column, or, where it is none that can be read, as written into the metadata.
pub fn document_date(written: Option<String>, metadata: &mut Map<String, Value>) -> Option<NaiveDate> {
    let written = written?;
    let day = dates::day(&written);
    if day.is_none() {
        metadata.insert("legacy_doc_date".to_owned(), json!(written));
    }
    day
}
