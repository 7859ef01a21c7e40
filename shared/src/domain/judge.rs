//! The verdict: four checks, computed from what was found (contract, section 1). All failed checks
//! are reported together.

use chrono::{Days, NaiveDate};

use super::ErrorCode;
use super::doc_types::DEFAULT_VALIDITY_DAYS;
use super::names::{self, NameMatch};
use super::run::{Analysis, Checks, DateKind};

/// The outcome of the checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// All four checks hold.
    pub verdict: bool,
    /// The checks; `None` where one could not be made.
    pub checks: Checks,
    /// What failed, by integer code.
    pub errors: Vec<ErrorCode>,
    /// What a person may want to look at: see the constants of this module.
    pub flags: Vec<String>,
    /// How the names compare; none where the document has no name.
    pub name_match: Option<NameMatch>,
}

/// Flag: the names are nearly the same, or the same but for misread letters.
pub const FLAG_NAME_NEAR_MISS: &str = "name_near_miss";
/// Flag: the date is the first day of the leave, since no issue date was found.
pub const FLAG_DATE_FROM_LEAVE: &str = "date_from_leave";
/// Flag: the text layer of the PDF says something else than the pages show; the pages were judged.
pub const FLAG_TEXT_LAYER_DISAGREES: &str = "text_layer_disagrees";

/// Flag: the document tells its reader how to judge it; that was not listened to.
pub const FLAG_SPEAKS_TO_READER: &str = "speaks_to_reader";
/// Flag: rules and model have found different things, which was settled by the evidence.
pub const FLAG_ANALYZERS_DISAGREE: &str = "analyzers_disagree";

/// Judges a document. `today` is the run's day of validity (`validity_day`).
#[must_use]
pub fn judge(applicant_fio: &str, analysis: &Analysis, today: NaiveDate) -> Judgement {
    let mut errors = Vec::new();
    let mut flags = Vec::new();
    let classification = &analysis.classification;
    let doc_type_known = classification.single_doc_type.then_some(classification.doc_type.is_some());
    if !classification.single_doc_type {
        errors.push(ErrorCode::MultipleDocuments);
    } else if doc_type_known == Some(false) {
        errors.push(ErrorCode::DocTypeUnknown);
    }

    let name_match = analysis.extraction.fio.as_ref().map(|found| names::compare(applicant_fio, &found.value));
    match name_match {
        None => errors.push(ErrorCode::FioMissing),
        Some(compared) => {
            if !compared.same {
                errors.push(ErrorCode::FioMismatch);
            }
            if compared.review || analysis.extraction.fio_mended {
                flags.push(FLAG_NAME_NEAR_MISS.to_owned());
            }
        }
    }

    let date_error = date_error(analysis, today);
    errors.extend(date_error);
    if analysis.extraction.doc_date.is_some() && analysis.extraction.date_kind == DateKind::LeaveStart {
        flags.push(FLAG_DATE_FROM_LEAVE.to_owned());
    }

    if classification.disputed || analysis.extraction.disputed {
        flags.push(FLAG_ANALYZERS_DISAGREE.to_owned());
    }
    if analysis.speaks_to_reader {
        flags.push(FLAG_SPEAKS_TO_READER.to_owned());
    }

    errors.sort_by_key(|code| code.int_code());
    let checks = Checks {
        fio_match: Some(name_match.is_some_and(|compared| compared.same)),
        doc_type_known,
        doc_date_valid: Some(date_error.is_none()),
        single_doc_type: Some(classification.single_doc_type),
    };
    Judgement { verdict: errors.is_empty(), checks, errors, flags, name_match }
}

/// Valid means issue date ≤ today ≤ issue date + days of validity.
fn date_error(analysis: &Analysis, today: NaiveDate) -> Option<ErrorCode> {
    let Some(found) = &analysis.extraction.doc_date else {
        return Some(ErrorCode::DocDateMissing);
    };
    let classification = &analysis.classification;
    let doc_type = classification.doc_type.as_ref().filter(|_| classification.single_doc_type);
    let days = doc_type.map_or(DEFAULT_VALIDITY_DAYS, |found| found.value.validity_days);
    let leave = analysis.extraction.date_kind == DateKind::LeaveStart
        && doc_type.is_some_and(|found| found.value.dated_by_leave);
    if found.value > today {
        return (!leave).then_some(ErrorCode::DocDateInFuture);
    }
    let last = found.value.checked_add_days(Days::new(u64::from(days)));
    last.is_some_and(|last| last < today).then_some(ErrorCode::DocDateTooOld)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doc_types;
    use crate::domain::run::{Classification, Extraction, Found, Quote};

    const DISMISSAL: &str = "Приказ о расторжении трудового договора";
    const PARENTAL: &str = "Приказ о выходе в декретный отпуск по уходу за ребенком";

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn found<T>(value: T) -> Found<T> {
        Found { value, quote: Quote { text: "…".into(), page: 1, rect: None, confidence: None } }
    }

    fn document(title: Option<&str>, fio: Option<&str>, date: Option<&str>) -> Analysis {
        Analysis {
            classification: Classification {
                single_doc_type: true,
                doc_type: title.map(|title| found(doc_types::by_title(title).expect("a type"))),
                disputed: false,
            },
            extraction: Extraction {
                fio: fio.map(|fio| found(fio.to_owned())),
                fio_mended: false,
                doc_date: date.map(|date| found(day(date))),
                date_kind: DateKind::Issue,
                disputed: false,
            },
            speaks_to_reader: false,
        }
    }

    const APPLICANT: &str = "Беляева Кира Олеговна";

    fn judged(analysis: &Analysis) -> Judgement {
        judge(APPLICANT, analysis, day("2026-11-22"))
    }

    #[test]
    fn a_document_that_passes_every_check_is_true() {
        let outcome = judged(&document(Some(DISMISSAL), Some(APPLICANT), Some("2026-11-01")));
        assert!(outcome.verdict);
        assert_eq!(outcome.errors, []);
        let all = Some(true);
        let expected = Checks { fio_match: all, doc_type_known: all, doc_date_valid: all, single_doc_type: all };
        assert_eq!(outcome.checks, expected);
    }

    #[test]
    fn validity_runs_from_the_issue_date_to_its_last_day() {
        for (date, error) in [
            ("2026-11-22", None),
            ("2026-10-13", None),
            ("2026-10-12", Some(ErrorCode::DocDateTooOld)),
            ("2026-11-23", Some(ErrorCode::DocDateInFuture)),
        ] {
            let outcome = judged(&document(Some(DISMISSAL), Some(APPLICANT), Some(date)));
            assert_eq!(outcome.errors.first().copied(), error, "{date}");
            assert_eq!(outcome.checks.doc_date_valid, Some(error.is_none()));
        }
    }

    #[test]
    fn an_unknown_type_is_judged_by_forty_days() {
        let outcome = judged(&document(None, Some(APPLICANT), Some("2026-10-12")));
        assert_eq!(outcome.errors, [ErrorCode::DocDateTooOld, ErrorCode::DocTypeUnknown]);
        assert_eq!(outcome.checks.doc_type_known, Some(false));
        assert_eq!(outcome.checks.single_doc_type, Some(true));
    }

    #[test]
    fn several_documents_leave_the_type_open_and_judge_the_rest() {
        let mut analysis = document(None, Some("Беляев Марк Ильич"), Some("2026-11-20"));
        analysis.classification.single_doc_type = false;
        let outcome = judged(&analysis);
        assert_eq!(outcome.errors, [ErrorCode::MultipleDocuments, ErrorCode::FioMismatch]);
        assert_eq!(outcome.checks.doc_type_known, None);
        assert_eq!(outcome.checks.doc_date_valid, Some(true));
    }

    #[test]
    fn what_is_not_found_fails_its_check_with_its_own_code() {
        let outcome = judged(&document(Some(DISMISSAL), None, None));
        assert_eq!(outcome.errors, [ErrorCode::DocDateMissing, ErrorCode::FioMissing]);
        assert_eq!(outcome.checks.fio_match, Some(false));
        assert_eq!(outcome.checks.doc_date_valid, Some(false));
        assert!(!outcome.verdict);
    }

    #[test]
    fn a_document_that_speaks_to_its_reader_is_marked() {
        let mut analysis = document(Some(DISMISSAL), Some(APPLICANT), Some("2026-11-01"));
        assert_eq!(judged(&analysis).flags, [""; 0]);
        analysis.speaks_to_reader = true;
        assert_eq!(judged(&analysis).flags, [FLAG_SPEAKS_TO_READER]);
        analysis.extraction.disputed = true;
        assert_eq!(judged(&analysis).flags, [FLAG_ANALYZERS_DISAGREE, FLAG_SPEAKS_TO_READER]);
    }

    #[test]
    fn a_leave_may_begin_in_the_future_but_only_a_parental_one() {
        let mut analysis = document(Some(PARENTAL), Some(APPLICANT), Some("2026-12-24"));
        assert_eq!(judged(&analysis).errors, [ErrorCode::DocDateInFuture]);
        analysis.extraction.date_kind = DateKind::LeaveStart;
        assert!(judged(&analysis).verdict);
        assert_eq!(judged(&analysis).flags, [FLAG_DATE_FROM_LEAVE]);
        analysis.classification = document(Some(DISMISSAL), None, None).classification;
        assert_eq!(judged(&analysis).errors, [ErrorCode::DocDateInFuture]);
    }
}
