//! A file's name, as it may be kept and given back.

/// Characters of a name, at most.
const MOST_CHARS: usize = 200;

/// Cleans a name: the last part of a path, without control characters and marks that turn the direction of
/// writing, of bounded length; `document` and this extension where nothing is left.
#[must_use]
pub fn cleaned(name: Option<&str>, extension: &str) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control() && !turns_direction(*c)).collect();
    let plain = plain.trim().trim_start_matches('.');
    if plain.is_empty() {
        return format!("document.{extension}");
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

/// Marks that make `txt.exe` look like `exe.txt` (Unicode TR 9), and the byte order mark.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(name: &str) -> String {
        cleaned(Some(name), "pdf")
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
    fn a_name_that_holds_nothing_is_replaced() {
        for name in ["", "   ", "..", "a/"] {
            assert_eq!(clean(name), "document.pdf");
        }
        assert_eq!(cleaned(None, "tif"), "document.tif");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = clean(&format!("{}.pdf", "я".repeat(500)));
        assert_eq!(name.chars().count(), MOST_CHARS);
        assert!(name.ends_with("я.pdf"));
    }
}
