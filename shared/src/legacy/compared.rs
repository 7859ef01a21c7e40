//! An old verdict held against one of ours.

use serde::Serialize;

use super::LegacyRun;
use crate::domain::{Checks, ErrorCode, Status};

/// What a run came to, in the words that both systems have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// `success` or `error`.
    pub status: Status,
    /// The verdict.
    pub verdict: Option<bool>,
    /// The checks; null where there are none, and each where it is not known.
    pub checks: Option<Checks>,
    /// The codes, by their integers.
    pub error_codes: Vec<ErrorCode>,
}

impl From<&LegacyRun> for Side {
    fn from(run: &LegacyRun) -> Self {
        let verdict = run.verdict();
        Self {
            status: run.status(),
            verdict: verdict.map(|verdict| verdict.verdict),
            checks: verdict.map(|verdict| verdict.checks),
            error_codes: run.codes.clone(),
        }
    }
}

/// What differs, by name. A check that one of them does not know differs from nothing; where one found several
/// documents it looked for no other error, so that only this one is compared.
#[must_use]
pub fn differences(old: &Side, new: &Side) -> Vec<&'static str> {
    let mut differ = Vec::new();
    let mut hold = |name, same: bool| {
        if !same {
            differ.push(name);
        }
    };
    hold("status", old.status == new.status);
    hold("verdict", old.verdict == new.verdict);
    if let (Some(old), Some(new)) = (old.checks, new.checks) {
        let same = |old: Option<bool>, new: Option<bool>| old.is_none() || new.is_none() || old == new;
        hold("fio_match", same(old.fio_match, new.fio_match));
        hold("doc_type_known", same(old.doc_type_known, new.doc_type_known));
        hold("doc_date_valid", same(old.doc_date_valid, new.doc_date_valid));
        hold("single_doc_type", same(old.single_doc_type, new.single_doc_type));
    }
    let several = |side: &Side| side.error_codes.contains(&ErrorCode::MultipleDocuments);
    let same =
        if several(old) || several(new) { several(old) == several(new) } else { old.error_codes == new.error_codes };
    hold("error_codes", same);
    differ
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(verdict: Option<bool>, codes: &[ErrorCode]) -> Side {
        let known = Some(!codes.contains(&ErrorCode::FioMismatch));
        let checks = verdict.map(|_| Checks { fio_match: known, ..Checks::default() });
        let status = if verdict.is_some() { Status::Success } else { Status::Error };
        Side { status, verdict, checks, error_codes: codes.to_vec() }
    }

    #[test]
    fn what_differs_is_named_and_what_is_not_known_differs_from_nothing() {
        use ErrorCode::{DocDateTooOld, FioMismatch, MultipleDocuments, OcrFailed};
        let accepted = side(Some(true), &[]);
        assert_eq!(differences(&accepted, &accepted), [""; 0]);
        let refused = side(Some(false), &[FioMismatch]);
        assert_eq!(differences(&accepted, &refused), ["verdict", "fio_match", "error_codes"]);
        assert_eq!(differences(&refused, &side(None, &[OcrFailed])), ["status", "verdict", "error_codes"]);
        assert_eq!(differences(&refused, &side(Some(false), &[DocDateTooOld, FioMismatch])), ["error_codes"]);
        let several = Side { checks: Some(Checks::default()), ..side(Some(false), &[MultipleDocuments]) };
        assert_eq!(differences(&several, &side(Some(false), &[MultipleDocuments, FioMismatch])), [""; 0]);
    }
}
