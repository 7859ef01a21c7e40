//! The small parts of a run as they are kept: without the names of their members, which would be half of a row, and
//! with the digits that mean something. What reads them takes both forms, as the version before does.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::run::EvidenceItem;
use crate::domain::{Checks, Evidence};

/// The checks in the order of their declaration.
pub(crate) fn checks(checks: &Checks) -> Value {
    json!([checks.fio_match, checks.doc_type_known, checks.doc_date_valid, checks.single_doc_type])
}

/// The quotes in the order of their declaration, and so their members.
pub(crate) fn evidence(evidence: &Evidence) -> Value {
    let item =
        |item: &EvidenceItem| json!([item.quote, item.page, item.rect, item.confidence.map(|c| rounded(c.into()))]);
    json!([evidence.fio.as_ref().map(item), evidence.doc_date.as_ref().map(item), evidence.doc_type.as_ref().map(item)])
}

/// Seconds to the millisecond.
pub(crate) fn seconds<'a>(timings: &BTreeMap<&'a str, f64>) -> BTreeMap<&'a str, f64> {
    timings.iter().map(|(stage, seconds)| (*stage, rounded(*seconds))).collect()
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let whole = Checks {
            fio_match: Some(true),
            doc_type_known: None,
            doc_date_valid: Some(false),
            single_doc_type: Some(true),
        };
        assert_eq!(serde_json::from_value::<Checks>(checks(&whole)).expect("is read"), whole);
        let item = |rect| {
            Some(EvidenceItem { quote: "Иванову".into(), page: 2, rect, confidence: rect.map(|_| 0.973) })
        };
        let found = Evidence { fio: item(Some([1, 2, 3, 4])), doc_date: None, doc_type: item(None) };
        assert_eq!(serde_json::from_value::<Evidence>(evidence(&found)).expect("is read"), found);
        assert_eq!(
            serde_json::from_value::<Evidence>(evidence(&Evidence::default())).expect("is read"),
            Evidence::default()
        );
    }

    #[test]
    fn what_was_kept_with_names_is_read_too() {
        let found = Evidence {
            doc_date: Some(EvidenceItem { quote: "1".into(), page: 1, rect: None, confidence: None }),
            ..Evidence::default()
        };
        let named = serde_json::to_value(&found).expect("is JSON");
        assert_eq!(serde_json::from_value::<Evidence>(named).expect("is read"), found);
    }

    #[test]
    fn seconds_have_the_digits_that_mean_something() {
        assert_eq!(seconds(&BTreeMap::from([("read", 3.101_345_678)])), BTreeMap::from([("read", 3.101)]));
    }
}
