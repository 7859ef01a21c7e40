//! Where a listing goes on: opaque to callers, and bound to the query that it came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A cursor that is none of ours, or of another query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCursor;

/// What a cursor is bound to: the filters and whose runs are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; 8]);

impl Binding {
    /// Of everything that says which runs are listed, in one text.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let hash = Sha256::digest(query.as_bytes());
        let mut binding = [0; 8];
        binding.copy_from_slice(&hash[..8]);
        Self(binding)
    }
}

/// The cursor behind this run.
#[must_use]
pub fn write(after: Uuid, binding: Binding) -> String {
    URL_SAFE_NO_PAD.encode([&after.as_bytes()[..], &seal(after, binding)].concat())
}

/// Ties the run to the query, so that a cursor that was changed anywhere is none.
fn seal(after: Uuid, binding: Binding) -> [u8; 8] {
    let hash = Sha256::digest([&after.as_bytes()[..], &binding.0].concat());
    let mut seal = [0; 8];
    seal.copy_from_slice(&hash[..8]);
    seal
}

/// The run that a cursor stands behind.
///
/// # Errors
/// It is none of ours, or of another query.
pub fn read(cursor: &str, binding: Binding) -> Result<Uuid, InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let (after, bound) = bytes.split_first_chunk::<16>().ok_or(InvalidCursor)?;
    let after = Uuid::from_bytes(*after);
    if bound == seal(after, binding) { Ok(after) } else { Err(InvalidCursor) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_by_the_query_it_came_from_only() {
        let run_id = Uuid::from_u128(42);
        let cursor = write(run_id, Binding::new("status=error"));
        assert_eq!(read(&cursor, Binding::new("status=error")), Ok(run_id));
        assert_eq!(read(&cursor, Binding::new("status=success")), Err(InvalidCursor));
        for cursor in ["", "x", "????", &cursor[1..], &format!("{cursor}AAAA")] {
            assert_eq!(read(cursor, Binding::new("status=error")), Err(InvalidCursor));
        }
    }

    #[test]
    fn a_cursor_that_was_changed_anywhere_is_none() {
        let binding = Binding::new("status=error");
        let cursor = write(Uuid::from_u128(42), binding);
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(read(&changed, binding), Err(InvalidCursor), "{changed}");
        }
    }
}
