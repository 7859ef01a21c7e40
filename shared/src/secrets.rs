//! What is kept encrypted at rest (callback secrets, credentials of the plain form), and the secrets
//! that sign callbacks.
//!
//! Sealed form: one byte of version, 12 of nonce, then the AES-256-GCM ciphertext with its tag. The
//! context (whose secret it is, in which column) is authenticated with it, so that a sealed value
//! copied to another row does not open there.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::Sha256;

use crate::hex::hex;
use crate::settings::{Secret, SecretsKey};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// What signing secrets begin with (Standard Webhooks).
pub const SIGNING_SECRET_PREFIX: &str = "whsec_";

/// Bytes that a signing secret may have (Standard Webhooks).
const SIGNING_SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A sealed value that cannot be opened, or a signing secret that is none. Trying again never helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Sealed by a newer program, or damaged.
    #[error("the sealed value has no known form")]
    UnknownForm,
    /// Sealed with another key or for another context, or damaged.
    #[error("the sealed value does not open with SECRETS_KEY")]
    WrongKey,
    /// Not `whsec_` and base64 of 24 to 64 bytes.
    #[error("not a signing secret")]
    NotASigningSecret,
}

/// Encrypts and decrypts with `SECRETS_KEY`.
#[derive(Clone)]
pub struct Sealer(Aes256Gcm);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// With this key.
    pub fn new(key: &SecretsKey) -> Self {
        Self(Aes256Gcm::new(&key.0.into()))
    }

    /// Encrypts `plain` for `context`.
    pub fn seal(&self, plain: &[u8], context: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random_bytes();
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context })
            .expect("AES-GCM fails only for texts of 64 GiB");
        [&[VERSION][..], &nonce, &sealed].concat()
    }

    /// Decrypts what [`Self::seal`] made for the same `context`.
    ///
    /// # Errors
    /// [`SecretError::UnknownForm`], [`SecretError::WrongKey`].
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SecretError> {
        let (version, rest) = sealed.split_first().ok_or(SecretError::UnknownForm)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SecretError::UnknownForm)?;
        if *version != VERSION || sealed.len() < TAG_BYTES {
            return Err(SecretError::UnknownForm);
        }
        let payload = Payload { msg: sealed, aad: context };
        self.0.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SecretError::WrongKey)
    }
}

/// Hides values that the audit must not keep and that an auditor must be able to look for: who has `SECRETS_KEY` can tell
/// whether a value was searched for, who has only the rows can tell nothing.
#[derive(Clone)]
pub struct ValueHasher([u8; 32]);

impl std::fmt::Debug for ValueHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValueHasher(…)")
    }
}

impl ValueHasher {
    /// With a key that follows from this one, so that neither use of it tells anything of the other.
    pub fn new(key: &SecretsKey) -> Self {
        Self(keyed_hash(&key.0, &[b"rb-ocr audit of searches 1"]))
    }

    /// The first 16 bytes of the hash of a value under a name, in hexadecimal.
    pub fn hash(&self, name: &str, value: &str) -> String {
        let hash = keyed_hash(&self.0, &[name.as_bytes(), &[0], value.as_bytes()]);
        hex(&hash[..16])
    }
}

fn keyed_hash(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into_bytes().into()
}

/// Makes a new signing secret: `whsec_` and 32 random bytes in base64.
pub fn make_signing_secret() -> Secret {
    Secret::new(format!("{SIGNING_SECRET_PREFIX}{}", STANDARD.encode(random_bytes::<32>())))
}

/// The bytes that sign, of a secret in its written form.
///
/// # Errors
/// [`SecretError::NotASigningSecret`].
pub fn signing_key(secret: &str) -> Result<Vec<u8>, SecretError> {
    secret
        .strip_prefix(SIGNING_SECRET_PREFIX)
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .filter(|key| SIGNING_SECRET_BYTES.contains(&key.len()))
        .ok_or(SecretError::NotASigningSecret)
}

/// Random bytes of the operating system, fit for keys.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(fill: u8) -> Sealer {
        Sealer::new(&SecretsKey([fill; 32]))
    }

    #[test]
    fn a_hidden_value_is_the_same_again_and_another_under_another_name_or_key() {
        let hasher = |fill| ValueHasher::new(&SecretsKey([fill; 32]));
        let hidden = hasher(1).hash("iin", "012345678901");
        assert_eq!(hidden, hasher(1).hash("iin", "012345678901"));
        assert_eq!(hidden.len(), 32);
        for other in
            [hasher(2).hash("iin", "012345678901"), hasher(1).hash("fio", "012345678901"), hasher(1).hash("iin", "0")]
        {
            assert_ne!(hidden, other);
        }
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_and_context() {
        let sealed = sealer(1).seal(b"whsec_x", b"client a");
        assert_eq!(sealer(1).open(&sealed, b"client a").as_deref(), Ok(&b"whsec_x"[..]));
    }

    #[test]
    fn another_key_or_context_or_a_changed_byte_does_not_open() {
        let sealed = sealer(1).seal(b"whsec_x", b"client a");
        assert_eq!(sealer(2).open(&sealed, b"client a"), Err(SecretError::WrongKey));
        assert_eq!(sealer(1).open(&sealed, b"client b"), Err(SecretError::WrongKey));
        for at in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer(1).open(&changed, b"client a"), Err(SecretError::WrongKey), "byte {at}");
        }
    }

    #[test]
    fn an_unknown_or_short_form_is_told_apart() {
        let mut sealed = sealer(1).seal(b"x", b"");
        sealed[0] = 9;
        for form in [&sealed[..], &[], &[VERSION], &[VERSION; 20]] {
            assert_eq!(sealer(1).open(form, b""), Err(SecretError::UnknownForm));
        }
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let sealer = sealer(1);
        assert_ne!(sealer.seal(b"x", b""), sealer.seal(b"x", b""));
    }

    #[test]
    fn a_made_signing_secret_is_read_back() {
        let (one, other) = (make_signing_secret(), make_signing_secret());
        assert!(one != other);
        assert_eq!(signing_key(one.expose()).map(|key| key.len()), Ok(32));
    }

    #[test]
    fn a_text_that_is_no_signing_secret_is_refused() {
        for text in ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtcmVhbGx5"] {
            assert_eq!(signing_key(text), Err(SecretError::NotASigningSecret), "{text}");
        }
    }
}
