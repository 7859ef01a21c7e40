//! The SHA-256 of what is read piece by piece.

use std::io::Read;

use sha2::{Digest as _, Sha256};

/// Bytes in memory at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// How many bytes there are, and their hash.
///
/// # Errors
/// They cannot be read.
pub fn sha256(mut bytes: impl Read) -> std::io::Result<(u64, [u8; 32])> {
    let (mut hash, mut count, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
    loop {
        let read = bytes.read(&mut piece)?;
        if read == 0 {
            return Ok((count, hash.finalize().into()));
        }
        hash.update(&piece[..read]);
        count += read as u64;
    }
}
