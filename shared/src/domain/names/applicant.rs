//! What may be submitted as an applicant's name.

use super::normalise;

/// Why a submitted name is refused; trying again with the same name cannot help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FioError {
    /// Shorter than 3 characters.
    #[error("is shorter than 3 characters")]
    TooShort,
    /// Longer than 200 characters.
    #[error("is longer than 200 characters")]
    TooLong,
    /// Fewer than two words.
    #[error("must have at least 2 words: surname and given name")]
    OneWord,
    /// A digit.
    #[error("must not contain digits")]
    Digit,
    /// A sign that stands in no name.
    #[error("may contain only letters, hyphens, apostrophes and dots")]
    Sign,
    /// A word of signs only.
    #[error("has a word without a letter")]
    NoLetter,
}

/// The name trimmed and single-spaced, if it can be one: 3 to 200 characters, at least two words,
/// letters (Cyrillic with the Kazakh ones, Latin), hyphens, apostrophes and dots.
pub fn validate_applicant(name: &str) -> Result<String, FioError> {
    // Longer input is not even looked at sign by sign.
    if name.len() > 16 * 1024 {
        return Err(FioError::TooLong);
    }
    let name = normalise(name);
    let length = name.chars().count();
    if name.chars().any(|sign| sign.is_numeric()) {
        return Err(FioError::Digit);
    }
    if !name.chars().all(may_stand) {
        return Err(FioError::Sign);
    }
    if length < 3 {
        return Err(FioError::TooShort);
    }
    if length > 200 {
        return Err(FioError::TooLong);
    }
    if name.split(' ').any(|word| !word.chars().any(char::is_alphabetic)) {
        return Err(FioError::NoLetter);
    }
    if name.split(' ').count() < 2 {
        return Err(FioError::OneWord);
    }
    Ok(name)
}

/// Whether the sign may stand in an applicant's name.
#[must_use]
pub const fn may_stand(sign: char) -> bool {
    matches!(sign,
        ' ' | '-' | '‐' | '‑' | '–' | '\'' | '’' | 'ʼ' | 'ʹ' | 'ʺ' | '`' | '.'
        | 'A'..='Z' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}'
        | '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}'
        | '\u{300}'..='\u{308}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_country_are_accepted_trimmed_and_single_spaced() {
        for (written, kept) in [
            ("  Иванов   Иван\u{a0}Иванович ", "Иванов Иван Иванович"),
            ("Әбдірахманова Құралай Ғалымқызы", "Әбдірахманова Құралай Ғалымқызы"),
            ("Петрова-Водкина Анна", "Петрова-Водкина Анна"),
            ("O'Brien John", "O'Brien John"),
            ("Соколов Н.М.", "Соколов Н.М."),
            ("Ли Ан", "Ли Ан"),
            ("Ótemisov Ulan Muratbekovıch", "Ótemisov Ulan Muratbekovıch"),
        ] {
            assert_eq!(validate_applicant(written).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        for (written, reason) in [
            ("", FioError::TooShort),
            ("Ли", FioError::TooShort),
            ("Иванов", FioError::OneWord),
            ("Иванов 1ван", FioError::Digit),
            ("Иванов ٣ван", FioError::Digit),
            ("Иванов Иван <b>", FioError::Sign),
            ("Иванов, Иван", FioError::Sign),
            ("Иванов -", FioError::NoLetter),
            ("Иванов . Иван", FioError::NoLetter),
            ("李 明 李", FioError::Sign),
            ("Иванов\u{0}Иван Иван", FioError::Sign),
        ] {
            assert_eq!(validate_applicant(written), Err(reason), "{written}");
        }
        assert_eq!(validate_applicant(&"Аб ".repeat(80)), Err(FioError::TooLong));
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_accepted_again_unchanged(name in any::<String>()) {
            if let Ok(kept) = validate_applicant(&name) {
                prop_assert_eq!(validate_applicant(&kept), Ok(kept.clone()));
            }
        }
    }
}
