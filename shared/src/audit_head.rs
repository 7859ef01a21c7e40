//! Where the audit's chain ended with a day, as it is kept in the document store: `audit/heads/2026-11-29.json`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::audit_seal::Hash;
use crate::hex::{self, hex};

/// The folder of them.
pub const FOLDER: &str = "audit/heads";

/// The end of the chain with a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayHead {
    /// Which day (UTC).
    pub day: NaiveDate,
    /// Of the last link then.
    pub number: i64,
    /// Of the last link then.
    pub hash: Hash,
}

#[derive(Serialize, Deserialize)]
struct Written {
    day: NaiveDate,
    number: i64,
    hash: String,
}

/// Its key in the document store.
#[must_use]
pub fn head_key(day: NaiveDate) -> String {
    format!("{FOLDER}/{day}.json")
}

impl DayHead {
    /// The hash in hexadecimal.
    #[must_use]
    pub fn hash_text(&self) -> String {
        hex(&self.hash)
    }

    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let written = Written { day: self.day, number: self.number, hash: self.hash_text() };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// What was stored; none: it is no head.
    #[must_use]
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        let Written { day, number, hash } = serde_json::from_slice(bytes).ok()?;
        let hash = hex::bytes(&hash)?.try_into().ok()?;
        Some(Self { day, number, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let mut hash = [0x0f; 32];
        hash[0] = 0xa0;
        let head = DayHead { day: "2026-11-29".parse().expect("a day"), number: 7, hash };
        assert_eq!(DayHead::from_json(&head.to_json()), Some(head.clone()));
        assert_eq!(head_key(head.day), "audit/heads/2026-11-29.json");
    }

    #[test]
    fn what_is_no_head_is_none() {
        for text in [
            "",
            "{}",
            r#"{"day":"2026-11-29","number":1,"hash":"0f"}"#,
            r#"{"day":"x","number":1,"hash":""}"#,
            r#"{"day":"2026-11-29","number":1,"hash":"ёё"}"#,
        ] {
            assert_eq!(DayHead::from_json(text.as_bytes()), None, "{text}");
        }
    }
}
