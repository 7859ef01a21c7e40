//! One run: who submitted what when, and what came of it.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::Plan;
use super::dice::Dice;
use super::page_text::{Document, text};
use super::person::Person;
use crate::domain::doc_types::DOC_TYPES;
use crate::domain::run::EvidenceItem;
use crate::domain::{Checks, ErrorCode, Evidence, Status};

/// A run as its rows have it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) run_id: Uuid,
    pub(super) client_id: Uuid,
    pub(super) created_at: DateTime<Utc>,
    pub(super) fio: String,
    pub(super) iin: Option<String>,
    pub(super) external_request_id: Option<String>,
    pub(super) branch: Option<&'static str>,
    pub(super) filename: &'static str,
    pub(super) content_type: &'static str,
    pub(super) file_size_bytes: u64,
    pub(super) sha256: [u8; 32],
    pub(super) document: Uuid,
    pub(super) trace_id: u128,
    pub(super) end: Option<End>,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) errors: Vec<ErrorCode>,
    pub(super) found: Option<Found>,
    pub(super) pages: Vec<String>,
    pub(super) confidence: f64,
    pub(super) attempts: u32,
    /// Waiting, reading, asking the model.
    pub(super) seconds: [f64; 3],
    pub(super) calls: Vec<Call>,
}

/// What was found, where there is a verdict.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) verdict: bool,
    pub(super) checks: Checks,
    pub(super) fio: Option<String>,
    pub(super) doc_date: Option<NaiveDate>,
    pub(super) doc_type: Option<&'static str>,
    pub(super) evidence: Evidence,
    pub(super) near_miss: bool,
}

/// A call of the model.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) call_type: &'static str,
    pub(super) seconds: f64,
    pub(super) tokens: [u64; 2],
}

/// What is refused, in the proportions that it is met in.
const REFUSALS: [&[ErrorCode]; 8] = [
    &[ErrorCode::DocDateTooOld],
    &[ErrorCode::FioMismatch],
    &[ErrorCode::DocTypeUnknown],
    &[ErrorCode::DocDateTooOld, ErrorCode::FioMismatch],
    &[ErrorCode::DocDateMissing],
    &[ErrorCode::MultipleDocuments],
    &[ErrorCode::FioMissing],
    &[ErrorCode::DocDateInFuture],
];

/// What fails, in the proportions that it does in.
const FAILURES: [ErrorCode; 8] = [
    ErrorCode::DocumentUnreadable,
    ErrorCode::OcrEmptyPages,
    ErrorCode::LlmFailed,
    ErrorCode::OcrFailed,
    ErrorCode::PdfTooManyPages,
    ErrorCode::TimedOut,
    ErrorCode::LlmInvalidResponse,
    ErrorCode::Cancelled,
];

const FILES: [(&str, &str); 6] = [
    ("справка.pdf", "application/pdf"),
    ("приказ.pdf", "application/pdf"),
    ("scan_0001.pdf", "application/pdf"),
    ("документ (1).pdf", "application/pdf"),
    ("IMG_20261104_101233.jpg", "image/jpeg"),
    ("WhatsApp Image.jpeg", "image/jpeg"),
];

const BRANCHES: [&str; 5] = ["almaty-1", "almaty-2", "astana-1", "shymkent-1", "online"];

/// The run of this number.
pub(super) fn made(plan: &Plan, index: u64) -> Made {
    let mut dice = plan.dice(1, index);
    let created_at = plan.submitted(index);
    // Some people come again, a few of them often.
    let people = plan.runs.max(10) * 7 / 10;
    let person = if dice.chance(0.5) { dice.below(people) } else { dice.below(people / 50 + 1) };
    let person = Person::made(&mut plan.dice(2, person));
    let number = plan.clients.iter().position(|_| dice.chance(0.875)).unwrap_or(0);
    let (filename, content_type) = *dice.one(&FILES);
    let same_file = index > 100 && dice.chance(0.02);
    let file = if same_file { index - 1 - dice.below(100) } else { index };
    let run_id = id(created_at, &mut dice);
    let (iin, external) = (dice.chance(0.7), dice.chance(0.8));
    let fio = match dice.below(40) {
        0 | 1 => person.fio.to_uppercase(),
        2 => initials(&person.fio),
        _ => person.fio.clone(),
    };
    Made {
        run_id,
        client_id: plan.clients.get(number).copied().unwrap_or_default(),
        created_at,
        end: (!plan.is_processing(index)).then(|| end(plan, &mut dice, &person, created_at)),
        fio,
        iin: iin.then_some(person.iin),
        external_request_id: external.then(|| (52_000_000 + index).to_string()),
        branch: dice.chance(0.3).then(|| *dice.one(&BRANCHES)),
        filename,
        content_type,
        file_size_bytes: 30_000 + dice.below(900_000),
        sha256: plan.dice(3, file).bytes(),
        document: Uuid::from_bytes(dice.bytes()),
        trace_id: u128::from_le_bytes(dice.bytes()),
    }
}

fn id(at: DateTime<Utc>, dice: &mut Dice) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &dice.bytes()).into_uuid()
}

fn initials(fio: &str) -> String {
    let mut words = fio.split(' ');
    let surname = words.next().unwrap_or_default().to_owned();
    words.filter_map(|word| word.chars().next()).fold(surname + " ", |name, letter| format!("{name}{letter}."))
}

fn end(plan: &Plan, dice: &mut Dice, person: &Person, created_at: DateTime<Utc>) -> End {
    let seconds = [dice.between(0.002, 1.5).powi(3), dice.between(0.6, 4.0), dice.between(0.8, 5.0)];
    if dice.chance(0.05) {
        let code = *dice.skewed(&FAILURES);
        let read = matches!(code, ErrorCode::LlmFailed | ErrorCode::LlmInvalidResponse | ErrorCode::TimedOut);
        let issued = created_at.date_naive();
        return End {
            status: Status::Error,
            errors: vec![code],
            found: None,
            pages: if read { pages(plan, dice, person, 0, issued) } else { Vec::new() },
            confidence: dice.between(0.4, 0.9),
            attempts: if code.retryable() { 5 } else { 1 },
            seconds,
            calls: Vec::new(),
        };
    }
    let kind = dice.skewed(&KINDS);
    let doc_type = &DOC_TYPES[*kind];
    let errors = if dice.chance(0.28) { dice.skewed(&REFUSALS).to_vec() } else { Vec::new() };
    let age = if errors.contains(&ErrorCode::DocDateTooOld) { 400 + dice.below(300) } else { dice.below(39) };
    let issued = created_at.date_naive().checked_sub_days(Days::new(age)).unwrap_or(created_at.date_naive());
    End {
        status: Status::Success,
        found: Some(found(dice, person, &errors, doc_type.title, issued)),
        pages: pages(plan, dice, person, *kind, issued),
        confidence: dice.between(0.7, 0.98),
        attempts: 1 + u32::from(dice.chance(0.02)),
        seconds,
        calls: vec![
            Call {
                call_type: "doc_type_check",
                seconds: seconds[2] * 0.4,
                tokens: [1_400 + dice.below(900), 30 + dice.below(30)],
            },
            Call {
                call_type: "extractor",
                seconds: seconds[2] * 0.6,
                tokens: [1_300 + dice.below(900), 60 + dice.below(60)],
            },
        ],
        errors,
    }
}

/// Types of documents, the most frequent first.
const KINDS: [usize; 15] = [13, 6, 5, 7, 0, 3, 1, 14, 10, 11, 8, 9, 4, 2, 12];

fn found(dice: &mut Dice, person: &Person, errors: &[ErrorCode], title: &'static str, issued: NaiveDate) -> Found {
    let has = |code| errors.contains(&code);
    let several = has(ErrorCode::MultipleDocuments);
    let named = !has(ErrorCode::FioMissing);
    let dated = !has(ErrorCode::DocDateMissing);
    let known = !several && !has(ErrorCode::DocTypeUnknown);
    let issued = if has(ErrorCode::DocDateInFuture) { issued + TimeDelta::days(60) } else { issued };
    let mut quote = |text: String| EvidenceItem {
        quote: text,
        page: 1,
        rect: Some([100 + place(dice), place(dice), 200 + place(dice), 18]),
        confidence: Some(0.7 + f32::from(place(dice)) / 2_000.0),
    };
    let evidence = Evidence {
        fio: named.then(|| quote(person.fio.clone())),
        doc_date: dated.then(|| quote(issued.format("%d.%m.%Y").to_string())),
        doc_type: known.then(|| quote(title.to_uppercase())),
    };
    Found {
        verdict: errors.is_empty(),
        checks: Checks {
            fio_match: Some(named && !has(ErrorCode::FioMismatch)),
            doc_type_known: (!several).then_some(known),
            doc_date_valid: Some(dated && !has(ErrorCode::DocDateTooOld) && !has(ErrorCode::DocDateInFuture)),
            single_doc_type: Some(!several),
        },
        fio: named.then(|| person.fio.clone()),
        doc_date: dated.then_some(issued),
        doc_type: known.then_some(title),
        evidence,
        near_miss: dice.chance(0.03),
    }
}

fn place(dice: &mut Dice) -> u16 {
    u16::try_from(dice.below(600)).unwrap_or(0)
}

fn pages(plan: &Plan, dice: &mut Dice, person: &Person, kind: usize, issued: NaiveDate) -> Vec<String> {
    let document = Document { title: DOC_TYPES[kind].title, fio: &person.fio, issued, kazakh: dice.chance(0.35) };
    let count = if dice.chance(0.1) { 2 } else { 1 };
    (0..count).map(|_| text(dice, &document, plan.text_bytes / count)).collect()
}
