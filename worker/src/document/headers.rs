//! Reading numbers of either byte order at any place of a file.

use std::io::{Read, Seek, SeekFrom};

use super::DocumentError;

/// Byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// The next `N` bytes.
pub(super) fn take<const N: usize>(file: &mut impl Read) -> Result<[u8; N], DocumentError> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// `N` bytes at a place.
pub(super) fn take_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> Result<[u8; N], DocumentError> {
    // Beyond this no file of ours reaches, and seeking there is an error of its own kind.
    if at > i64::MAX as u64 {
        return Err(DocumentError::Unreadable("it is truncated"));
    }
    file.seek(SeekFrom::Start(at))?;
    take(file)
}
