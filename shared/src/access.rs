//! API keys and what they allow. A key holds 256 random bits, so its SHA-256 is kept and nothing slower
//! would add anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::settings::Secret;

/// What a key may do (contract, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every GET.
    Read,
    /// POST /v1/runs, cancel, retry, redeliver.
    Submit,
    /// Review and DELETE.
    Admin,
    /// Reads the runs of all clients.
    Operator,
}

impl Scope {
    /// Every scope.
    pub const ALL: &[Self] = &[Self::Read, Self::Submit, Self::Admin, Self::Operator];

    /// The word used on the command line and in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|scope| scope.as_str() == word);
        found.ok_or_else(|| format!("{word} is no scope: read, submit, admin and operator are"))
    }
}

/// What every key begins with, so that it is known for what it is where it should not be.
pub const KEY_PREFIX: &str = "rbk_";

/// Letters of a key that are kept readable, so that people can tell keys apart.
const SHOWN_LETTERS: usize = 10;

/// A new key: `rbk_` and these random bytes in base64url.
#[must_use]
pub fn make_key(random: [u8; 32]) -> Secret {
    Secret::new(format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
}

/// What is kept of a key.
#[must_use]
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The first letters of a key.
#[must_use]
pub fn shown_letters(key: &str) -> &str {
    key.get(..SHOWN_LETTERS).unwrap_or(KEY_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_prefix_and_by_its_hash_only() {
        let key = make_key([7; 32]);
        assert!(key.expose().starts_with(KEY_PREFIX));
        assert_eq!(key.expose().len(), 4 + 43);
        assert_ne!(key_hash(key.expose()), key_hash(make_key([8; 32]).expose()));
        assert_eq!(shown_letters(key.expose()).len(), SHOWN_LETTERS);
    }

    #[test]
    fn a_scope_is_read_back_by_its_word() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
        assert!("root".parse::<Scope>().is_err());
    }
}
