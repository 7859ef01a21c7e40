//! The uploaded file's name where the header of its part gives it in the extended notation.

use http::HeaderMap;
use http::header::CONTENT_DISPOSITION;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
