//! The kinds of file that are accepted, told by their first bytes and never by name or header.

use serde::{Deserialize, Serialize};

/// A kind of file that may be submitted (contract, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentType {
    /// PDF of any version.
    #[serde(rename = "application/pdf")]
    Pdf,
    /// JPEG, as cameras and scanners write it.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// TIFF, of one page or several, either byte order, BigTIFF too.
    #[serde(rename = "image/tiff")]
    Tiff,
}

impl ContentType {
    /// Every kind.
    pub const ALL: &[Self] = &[Self::Pdf, Self::Jpeg, Self::Png, Self::Tiff];

    /// How many of the file's first bytes [`Self::from_first_bytes`] looks at; fewer are enough for
    /// a file that is shorter.
    pub const FIRST_BYTES: usize = 1024;

    /// The kind that a file beginning with these bytes has; none if it is of no accepted kind.
    ///
    /// A PDF's header may stand behind a little junk: readers accept it anywhere in the first
    /// 1,024 bytes (ISO 32000-1, annex H, note 13), and mail gateways do put lines before it.
    #[must_use]
    pub fn from_first_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = &bytes[..bytes.len().min(Self::FIRST_BYTES)];
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic)) {
            Some(Self::Tiff)
        } else if bytes.windows(5).any(|window| window == b"%PDF-") {
            Some(Self::Pdf)
        } else {
            None
        }
    }

    /// The media type.
    #[must_use]
    pub const fn as_mime(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
        }
    }

    /// The usual file name extension, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Tiff => "tif",
        }
    }
}

impl std::str::FromStr for ContentType {
    type Err = super::run::UnknownWord;

    fn from_str(mime: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.as_mime() == mime).ok_or(super::run::UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_is_told_by_its_first_bytes() {
        let cases: [(&[u8], ContentType); 6] = [
            (b"%PDF-1.7\n", ContentType::Pdf),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", ContentType::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0", ContentType::Png),
            (b"II*\0\x08\0\0\0", ContentType::Tiff),
            (b"MM\0*\0\0\0\x08", ContentType::Tiff),
            (b"MM\0+\0\x08\0\0", ContentType::Tiff),
        ];
        for (bytes, kind) in cases {
            assert_eq!(ContentType::from_first_bytes(bytes), Some(kind));
        }
    }

    #[test]
    fn junk_before_the_header_of_a_pdf_is_accepted_within_the_first_kilobyte() {
        let after = |junk: usize| [vec![b'x'; junk], b"%PDF-1.4".to_vec()].concat();
        assert_eq!(ContentType::from_first_bytes(&after(1019)), Some(ContentType::Pdf));
        assert_eq!(ContentType::from_first_bytes(&after(1020)), None);
    }

    #[test]
    fn other_files_are_of_no_kind() {
        for bytes in [&b""[..], b"PK\x03\x04", b"GIF89a", b"<html>", b"\xFF\xD8", b"II*", b"%PDF", b"MZ\x90\0"] {
            assert_eq!(ContentType::from_first_bytes(bytes), None);
        }
    }

    #[test]
    fn a_media_type_is_read_back_as_its_kind() {
        for kind in ContentType::ALL {
            assert_eq!(kind.as_mime().parse(), Ok(*kind));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
            let _ = ContentType::from_first_bytes(&bytes);
        }
    }
}
