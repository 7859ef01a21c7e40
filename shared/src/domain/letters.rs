//! Letters of the two languages as readers confuse them: folding to one alphabet, and distances
//! that know which letters look alike. Everything that searches recognised text goes through here,
//! so that «Әбдірахманов», «АБДІРАХМАНОВ» and a Latin «A» in front are one word.

/// The lower-case letter with ё, Kazakh letters and Latin look-alikes folded to the Russian letter
/// they are most often written or misread as. Everything else is returned in lower case.
#[must_use]
pub fn fold_char(letter: char) -> char {
    match lower(letter) {
        'ё' => 'е',
        'ә' => 'а',
        'ғ' => 'г',
        'қ' => 'к',
        'ң' => 'н',
        'ө' => 'о',
        'ұ' | 'ү' => 'у',
        'һ' => 'х',
        'і' => 'и',
        other => other,
    }
}

/// The letter in lower case, with a short way for the letters that documents are made of: the standard library
/// looks them up in tables, and every letter of every page comes through here several times.
fn lower(letter: char) -> char {
    match letter {
        '\0'..='\u{7F}' => letter.to_ascii_lowercase(),
        'а'..='я' => letter,
        'А'..='Я' => char::from_u32(u32::from(letter) + 32).unwrap_or(letter),
        _ => letter.to_lowercase().next().unwrap_or(letter),
    }
}

/// `text` letter by letter through [`fold_char`].
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Whether the letter is Cyrillic, the Kazakh ones included.
#[must_use]
pub const fn is_cyrillic(letter: char) -> bool {
    matches!(letter, '\u{400}'..='\u{52F}')
}

/// [`char::is_alphabetic`] with a short way for the letters that documents are made of.
#[must_use]
pub fn is_letter(sign: char) -> bool {
    match sign {
        '\0'..='\u{7F}' => sign.is_ascii_alphabetic(),
        '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}' => true,
        _ => sign.is_alphabetic(),
    }
}

/// [`char::is_alphanumeric`] with a short way for the letters that documents are made of.
#[must_use]
pub fn is_word_sign(sign: char) -> bool {
    match sign {
        '\0'..='\u{7F}' => sign.is_ascii_alphanumeric(),
        '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}' => true,
        _ => sign.is_alphanumeric(),
    }
}

/// Whether the letter stands in the Kazakh alphabet and not in the Russian one.
#[must_use]
pub const fn is_kazakh_only(letter: char) -> bool {
    matches!(
        letter,
        'ә' | 'Ә'
            | 'ғ'
            | 'Ғ'
            | 'қ'
            | 'Қ'
            | 'ң'
            | 'Ң'
            | 'ө'
            | 'Ө'
            | 'ұ'
            | 'Ұ'
            | 'ү'
            | 'Ү'
            | 'һ'
            | 'Һ'
            | 'і'
            | 'І'
    )
}

/// Whether the sign is drawn as nothing: zero-width signs, marks of direction, soft hyphens. They part words for a
/// program and not for a person.
#[must_use]
pub const fn is_invisible(sign: char) -> bool {
    matches!(
        sign,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
    )
}

/// The Cyrillic letter that a Latin letter or a digit is drawn like, in the same case.
#[must_use]
pub const fn look_alike(sign: char) -> Option<char> {
    Some(match sign {
        'A' => 'А',
        'a' => 'а',
        'B' => 'В',
        'C' => 'С',
        'c' => 'с',
        'E' => 'Е',
        'e' => 'е',
        'H' => 'Н',
        'h' => 'һ',
        'I' => 'І',
        'i' | 'l' | '|' => 'і',
        'K' => 'К',
        'k' => 'к',
        'M' => 'М',
        'm' => 'м',
        'O' | '0' => 'О',
        'o' => 'о',
        'P' => 'Р',
        'p' => 'р',
        'T' => 'Т',
        't' => 'т',
        'X' => 'Х',
        'x' => 'х',
        'Y' | 'V' => 'У',
        'y' | 'v' => 'у',
        'N' => 'И',
        'n' => 'п',
        'u' => 'и',
        'r' => 'г',
        '3' => 'З',
        '4' => 'Ч',
        '6' => 'Б',
        '8' => 'В',
        _ => return None,
    })
}

/// `word` with Latin letters and digits that stand among Cyrillic ones replaced by what they look
/// like: a reader's slip, or a disguise. A word without a Cyrillic letter stays as it is.
#[must_use]
pub fn mend_alphabet(word: &str) -> String {
    // Of most words nothing is to be mended.
    if !word.chars().any(is_cyrillic) || word.chars().all(|sign| look_alike(sign).is_none()) {
        return word.to_owned();
    }
    let upper = word.chars().filter(|c| c.is_uppercase()).count() * 2 > word.chars().count();
    word.chars()
        .map(|sign| match look_alike(sign) {
            Some(letter) if sign.is_ascii_digit() && !upper => letter.to_lowercase().next().unwrap_or(letter),
            Some(letter) => letter,
            None => sign,
        })
        .collect()
}

/// Letters and digits only, mended and folded, white space and marks left out: what is compared where texts are looked
/// up in each other. Word by word, since the letters around a doubtful one say how it is meant.
#[must_use]
pub fn key<K: Default + Extend<char>>(text: &str) -> K {
    let mut key = K::default();
    for word in text.split_whitespace() {
        key.extend(mend_alphabet(word).chars().map(fold_char).filter(|sign| is_word_sign(*sign)));
    }
    key
}

/// Whether readers often take one of these folded letters for the other.
#[must_use]
pub const fn confusable(one: char, other: char) -> bool {
    const fn directed(one: char, other: char) -> bool {
        matches!(
            (one, other),
            ('и', 'н' | 'й' | 'п' | 'ш' | 'ц' | 'л' | 'і')
                | ('н', 'п' | 'й' | 'к' | 'м' | 'х')
                | ('ш', 'щ' | 'м' | 'т')
                | ('п', 'л' | 'т')
                | ('л', 'д' | 'а' | 'м')
                | ('т', 'г' | 'ғ')
                | ('г', 'ғ' | 'р')
                | ('е', 'с' | 'о' | 'э' | 'в')
                | ('о', 'с' | 'а' | 'ө' | 'д')
                | ('з', 'э' | 'в')
                | ('б', 'в' | 'о' | 'ь')
                | ('ь', 'ъ' | 'ы' | 'в')
                | ('ц', 'щ' | 'п')
                | ('ч', 'у' | 'н')
                | ('ж', 'к' | 'х')
                | ('р', 'ф' | 'п')
                | ('я', 'а' | 'н')
                | ('к', 'н' | 'х')
        )
    }
    directed(one, other) || directed(other, one)
}

/// Words longer than this are no words.
const LONGEST: usize = 63;

/// Edit distance between two folded words, stopping at `most`: none when it is larger. A swap of
/// letters that look alike costs half an edit, so the result counts half edits; `most` too.
#[must_use]
pub fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) * 2 > most || other.len() > LONGEST {
        return None;
    }
    let row = last_row(one, other, most)?;
    (row[other.len()] <= most).then_some(row[other.len()])
}

/// [`distance`] between `stem` and the nearest beginning of `word`, which may be a letter shorter or
/// longer than the stem.
#[must_use]
pub fn prefix_distance(stem: &[char], word: &[char], most: usize) -> Option<usize> {
    let word = &word[..word.len().min(stem.len() + 1)];
    if word.len() + 1 < stem.len() || word.len() > LONGEST {
        return None;
    }
    let row = last_row(stem, word, most)?;
    row[stem.len() - 1..=word.len()].iter().copied().min().filter(|least| *least <= most)
}

/// The last row of the edit table; none as soon as every way costs more than `most`.
fn last_row(one: &[char], other: &[char], most: usize) -> Option<[usize; LONGEST + 1]> {
    let mut row = [0usize; LONGEST + 1];
    for (j, cell) in row.iter_mut().enumerate().take(other.len() + 1) {
        *cell = j * 2;
    }
    for (i, &a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = (i + 1) * 2;
        let mut least = row[0];
        for (j, &b) in other.iter().enumerate() {
            let swap = diagonal
                + if a == b {
                    0
                } else if confusable(a, b) {
                    1
                } else {
                    2
                };
            diagonal = row[j + 1];
            row[j + 1] = swap.min(row[j] + 2).min(diagonal + 2);
            least = least.min(row[j + 1]);
        }
        if least > most {
            return None;
        }
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_ways_answer_as_the_standard_library_does() {
        for sign in '\0'..='\u{1000}' {
            assert_eq!(is_letter(sign), sign.is_alphabetic(), "{sign:?}");
            assert_eq!(is_word_sign(sign), sign.is_alphanumeric(), "{sign:?}");
            assert_eq!(Some(lower(sign)), sign.to_lowercase().next(), "{sign:?}");
        }
    }

    #[test]
    fn kazakh_letters_and_yo_fold_to_their_russian_look_alikes() {
        assert_eq!(fold("Әбдірахманова ҚҰРАЛАЙ Пётр"), "абдирахманова куралай петр");
    }

    #[test]
    fn latin_letters_are_mended_only_among_cyrillic_ones() {
        assert_eq!(mend_alphabet("Ивaнoв"), "Иванов");
        assert_eq!(mend_alphabet("КУАТ0ВНА"), "КУАТОВНА");
        assert_eq!(mend_alphabet("Егор0вна"), "Егоровна");
        assert_eq!(mend_alphabet("Ivanov"), "Ivanov");
    }

    #[test]
    fn signs_that_nobody_sees_are_told_from_letters() {
        assert!("\u{200b}\u{200d}\u{ad}\u{feff}\u{202e}\u{2060}".chars().all(is_invisible));
        assert!(!"Ағ я-—.,\u{a0}\u{2013}".chars().any(is_invisible));
    }

    #[test]
    fn letters_that_look_alike_are_nearer_than_others() {
        let chars = |word: &str| word.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("справка"), &chars("спранка"), 4), Some(2));
        assert_eq!(distance(&chars("приказ"), &chars("прнказ"), 4), Some(1));
        assert_eq!(distance(&chars("приказ"), &chars("прказ"), 4), Some(2));
        assert_eq!(distance(&chars("приказ"), &chars("указ"), 2), None);
    }
}
