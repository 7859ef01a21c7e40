//! The uploaded file's name, as it may be kept and given back.

use http::HeaderMap;
use http::header::CONTENT_DISPOSITION;
use shared::domain::ContentType;

/// Characters of a name, at most.
const MOST_CHARS: usize = 200;

/// Cleans a name: the last part of a path, without control characters and marks that turn the direction of
/// writing, of bounded length; `document` and the kind's extension where nothing is left.
#[must_use]
pub fn cleaned(name: Option<&str>, content_type: ContentType) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control() && !turns_direction(*c)).collect();
    let plain = plain.trim().trim_start_matches('.');
    if plain.is_empty() {
        return format!("document.{}", content_type.extension());
    }
    if plain.chars().count() <= MOST_CHARS {
        return plain.to_owned();
    }
    // The extension is worth more than the end of a long name.
    let (stem, extension) = plain.rsplit_once('.').filter(|(_, ext)| ext.chars().count() <= 10).unwrap_or((plain, ""));
    let room = MOST_CHARS - extension.chars().count() - 1;
    let stem: String = stem.chars().take(room).collect();
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

/// The name that the header of a part gives in the extended notation (`filename*=UTF-8''%D0%BF.pdf`, RFC 8187).
/// It is not meant for forms (RFC 7578, 4.2), but widespread libraries wrote it for long.
#[must_use]
pub fn extended(headers: &HeaderMap) -> Option<String> {
    let disposition = headers.get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let mut quoted = false;
    let mut parameters = disposition.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("filename*").then(|| value.trim().trim_matches('"'))
    })?;
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, coded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = decoded(coded)?;
    if charset.eq_ignore_ascii_case("utf-8") { String::from_utf8(bytes).ok() } else { None }
}

/// The bytes behind `%D0%BF`.
fn decoded(coded: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::new(), coded.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    Some(bytes)
}

/// Marks that make `txt.exe` look like `exe.txt` (Unicode TR 9), and the byte order mark.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(name: &str) -> String {
        cleaned(Some(name), ContentType::Pdf)
    }

    #[test]
    fn a_good_name_stays_as_it_is() {
        assert_eq!(clean("приказ № 5 (копия).pdf"), "приказ № 5 (копия).pdf");
    }

    #[test]
    fn paths_and_tricks_are_taken_off() {
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("C:\\scans\\a.pdf"), "a.pdf");
        assert_eq!(clean("a\r\nX: y\0.pdf"), "aX: y.pdf");
        assert_eq!(clean("\u{202e}fdp.exe"), "fdp.exe");
    }

    #[test]
    fn the_extended_notation_is_read_wherever_it_stands() {
        let of = |disposition: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_DISPOSITION, disposition.parse().expect("a value"));
            extended(&headers)
        };
        let name = Some("при каз.pdf".to_owned());
        assert_eq!(of("form-data; name=file; filename*=utf-8'ru'%D0%BF%D1%80%D0%B8%20%D0%BA%D0%B0%D0%B7.pdf"), name);
        assert_eq!(of("form-data; filename*=UTF-8''%d0%bf%D1%80%D0%B8 %D0%BA%D0%B0%D0%B7.pdf; filename=\"x\""), name);
        assert_eq!(of("form-data; filename=\"a; filename*=UTF-8''x\""), None, "inside quotes it is a name");
        for wrong in
            ["form-data", "form-data; filename*=x", "form-data; filename*=UTF-8''%D0", "form-data; filename*=UTF-8''%x"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_name_that_holds_nothing_is_replaced() {
        for name in ["", "   ", "..", "a/"] {
            assert_eq!(clean(name), "document.pdf");
        }
        assert_eq!(cleaned(None, ContentType::Tiff), "document.tif");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = clean(&format!("{}.pdf", "я".repeat(500)));
        assert_eq!(name.chars().count(), MOST_CHARS);
        assert!(name.ends_with("я.pdf"));
    }
}
