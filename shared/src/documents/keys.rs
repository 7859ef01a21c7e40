//! The keys of the document store. Where a document lies says when it came and nothing else.

use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;

/// Where a new document goes: `documents/YYYY/MM/DD/{random id}`. Known before the run is inserted,
/// so that the row can never name an object that was not written.
#[must_use]
pub fn document_key(at: DateTime<Utc>, id: Uuid) -> String {
    format!("documents/{:04}/{:02}/{:02}/{}", at.year(), at.month(), at.day(), id.simple())
}

/// Where the picture of a page goes: `pages/YYYY/MM/DD/{random id}/{page}.jpg`.
#[must_use]
pub fn page_key(at: DateTime<Utc>, id: Uuid, page: u32) -> String {
    format!("pages/{:04}/{:02}/{:02}/{}/{page}.jpg", at.year(), at.month(), at.day(), id.simple())
}

/// An `object_key` that may not be read for this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must name an object under incoming/ and the client's name")]
pub struct BadObjectKey;

/// Judges the `object_key` of a submission: an object under `incoming/{client}/` and nowhere else.
/// Whatever some store or file system could read as another place is refused, percent signs too,
/// since a store may decode them.
///
/// # Errors
/// The key leads, or might lead, elsewhere.
pub fn incoming_key<'a>(client: &str, key: &'a str) -> Result<&'a str, BadObjectKey> {
    let rest = key
        .strip_prefix("incoming/")
        .and_then(|rest| rest.strip_prefix(client))
        .and_then(|rest| rest.strip_prefix('/'))
        .filter(|_| key.len() <= 1024)
        .ok_or(BadObjectKey)?;
    let plain = |c: char| !c.is_control() && !matches!(c, '\\' | '%' | '#' | '?');
    let segment = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(plain);
    if rest.split('/').all(segment) { Ok(key) } else { Err(BadObjectKey) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_lies_under_the_day_it_came() {
        let at = "2026-03-04T23:59:59Z".parse().expect("a time");
        let id = Uuid::from_u128(7);
        assert_eq!(document_key(at, id), "documents/2026/03/04/00000000000000000000000000000007");
        assert_eq!(page_key(at, id, 2), "pages/2026/03/04/00000000000000000000000000000007/2.jpg");
    }

    #[test]
    fn an_object_of_the_client_itself_may_be_named() {
        assert!(incoming_key("bank", "incoming/bank/2026/приказ 1.pdf").is_ok());
    }

    #[test]
    fn no_other_place_can_be_named() {
        for key in [
            "",
            "incoming/bank",
            "incoming/bank/",
            "incoming/bank2/a.pdf",
            "incoming/other/a.pdf",
            "documents/2026/11/22/a",
            "/incoming/bank/a.pdf",
            "incoming//bank/a.pdf",
            "incoming/bank//a.pdf",
            "incoming/bank/../other/a.pdf",
            "incoming/bank/./a.pdf",
            "incoming/bank/..",
            "incoming/bank/%2e%2e/other/a.pdf",
            "incoming/bank/..\\other",
            "incoming/bank/a\0.pdf",
            "incoming/bank/a.pdf#1",
            "INCOMING/bank/a.pdf",
        ] {
            assert_eq!(incoming_key("bank", key), Err(BadObjectKey), "{key:?}");
        }
        assert!(incoming_key("bank", &format!("incoming/bank/{}", "a".repeat(1100))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_inside_after_any_normalising(key in "incoming/(bank|other|\\.\\.)(/[a-z.%\\\\]{0,4}){0,4}") {
            if incoming_key("bank", &key).is_ok() {
                prop_assert!(key.starts_with("incoming/bank/"));
                prop_assert!(object_store::path::Path::parse(&key).is_ok());
                prop_assert!(!key.split('/').any(|part| part == ".." || part.is_empty()));
            }
        }
    }
}
