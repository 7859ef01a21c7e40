//! Latin spellings of names: passport, GOST, ISO 9, Kazakh Latin of 2018 and 2021, mixed. Both
//! sides are brought to one rough Cyrillic sound, in which the schemes agree; where a letter means
//! different sounds in different schemes (j, x, y), each reading is tried.

/// The possible sounds of a Latin word. Empty where the word holds signs of no scheme.
#[must_use]
pub(super) fn sounds_of_latin(word: &str) -> Vec<String> {
    let letters: Vec<char> =
        word.to_lowercase().chars().filter(|c| !matches!(c, '\'' | '’' | '‘' | 'ʼ' | 'ʹ' | 'ʺ' | '`' | '"')).collect();
    if letters.is_empty() || letters.iter().any(|c| !c.is_alphabetic()) {
        return Vec::new();
    }
    let mut sounds = Vec::new();
    for j in ["ж", "и"] {
        for x in ["х", "кс"] {
            for c in ["тс", "к"] {
                let spelled = spell(&letters, j, x, c);
                // «sh» is ш, or с and х: Ashat, Ishakov.
                for read in [sound(&spelled), sound(&spelled.replace('ш', "сх"))] {
                    if !sounds.contains(&read) {
                        sounds.push(read);
                    }
                }
            }
        }
    }
    sounds
}

/// The sound of a Cyrillic word.
#[must_use]
pub(super) fn sound_of_cyrillic(word: &str) -> String {
    sound(&word.to_lowercase())
}

const DIGRAPHS: [(&str, &str); 25] = [
    ("shch", "щ"),
    ("shh", "щ"),
    ("sch", "щ"),
    ("tch", "ч"),
    ("iya", "ия"),
    ("yya", "ыя"),
    ("dzh", "дж"),
    ("zh", "ж"),
    ("kh", "х"),
    ("gh", "ғ"),
    ("ts", "ц"),
    ("tc", "ц"),
    ("cz", "ц"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("yu", "ю"),
    ("iu", "ю"),
    ("ya", "я"),
    ("ia", "я"),
    ("yo", "е"),
    ("io", "е"),
    ("ye", "е"),
    ("ii", "ий"),
    ("ng", "нг"),
    ("ck", "к"),
];

fn spell(letters: &[char], j: &str, x: &str, c: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    'letters: while at < letters.len() {
        for (latin, cyrillic) in DIGRAPHS {
            let length = latin.len();
            if at + length <= letters.len() && latin.chars().eq(letters[at..at + length].iter().copied()) {
                out.push_str(cyrillic);
                at += length;
                continue 'letters;
            }
        }
        // In ISO 9 and GOST a j before a vowel is part of it: ja, ju, jo.
        if letters[at] == 'j' && j == "и" {
            out.push('й');
        } else {
            single(letters[at], j, x, c, &mut out);
        }
        at += 1;
    }
    out
}

fn single(letter: char, j: &str, x: &str, c: &str, out: &mut String) {
    out.push_str(match letter {
        'a' => "а",
        'á' | 'ä' | 'ə' | 'ә' => "ә",
        'b' => "б",
        'c' => c,
        'č' | 'ç' => "ч",
        'd' => "д",
        'e' | 'ë' | 'è' | 'é' | 'ė' => "е",
        'f' => "ф",
        'g' => "г",
        'ğ' | 'ǵ' | 'ġ' => "ғ",
        'h' => "х",
        'i' | 'ı' | 'í' | 'ï' => "и",
        'j' => j,
        'k' => "к",
        'q' => "қ",
        'l' => "л",
        'm' => "м",
        'n' => "н",
        'ń' | 'ŋ' | 'ñ' => "ң",
        'o' => "о",
        'ó' | 'ö' | 'ô' => "ө",
        'p' => "п",
        'r' => "р",
        's' => "с",
        'š' | 'ş' => "ш",
        'ŝ' => "щ",
        't' => "т",
        'u' | 'ý' => "у",
        'ū' => "ұ",
        'ú' | 'ü' => "ү",
        'v' | 'w' => "в",
        'x' => x,
        'y' => "ы",
        'z' => "з",
        'ž' => "ж",
        'â' => "я",
        'û' => "ю",
        other => {
            out.push(other);
            return;
        }
    });
}

/// One rough sound: signs dropped, я as иа, all kinds of и one, doubled letters single.
fn sound(cyrillic: &str) -> String {
    let mut out: Vec<char> = Vec::new();
    let mut push = |letter: char| {
        if out.last() != Some(&letter) {
            out.push(letter);
        }
    };
    for letter in cyrillic.chars() {
        match letter {
            'ь' | 'ъ' => {}
            'я' => "иа".chars().for_each(&mut push),
            'ю' => "иу".chars().for_each(&mut push),
            'щ' => "шч".chars().for_each(&mut push),
            'ц' => "тс".chars().for_each(&mut push),
            'й' | 'ы' | 'і' | 'и' => push('и'),
            'ё' | 'э' => push('е'),
            'қ' => push('к'),
            'ғ' => push('г'),
            'ң' => push('н'),
            'һ' => push('х'),
            'ұ' | 'ү' => push('у'),
            'ә' => push('а'),
            'ө' => push('о'),
            other => push(other),
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_sounds_like_the_cyrillic_spelling() {
        for (cyrillic, latin) in [
            ("Юлия", "Yuliya"),
            ("Юлия", "Iuliia"),
            ("Юлия", "Julija"),
            ("Юлия", "Ûliâ"),
            ("Лидия", "Lidia"),
            ("Щербаков", "Shcherbakov"),
            ("Щербаков", "Ŝerbakov"),
            ("Хасенова", "Hasenova"),
            ("Хасенова", "Xasenova"),
            ("Жанар", "Zhanar"),
            ("Жанар", "Janar"),
            ("Жанар", "Žanar"),
            ("Қайрат", "Qaırat"),
            ("Шынар", "Şynar"),
            ("Александр", "Alexandr"),
            ("Александр", "Aleksandr"),
            ("Евгений", "Yevgeniy"),
            ("Евгений", "Evgenij"),
            ("Фёдор", "Fedor"),
            ("Цой", "Tsoy"),
            ("Медеуова", "Medeýova"),
            ("Ильяс", "Ilʹâs"),
            ("Мұсаев", "Mūsaev"),
        ] {
            let wanted = sound_of_cyrillic(cyrillic);
            assert!(
                sounds_of_latin(latin).contains(&wanted),
                "{cyrillic} {latin} {:?} {wanted}",
                sounds_of_latin(latin)
            );
        }
    }

    #[test]
    fn other_names_sound_otherwise() {
        assert!(!sounds_of_latin("Asel").contains(&sound_of_cyrillic("Асет")));
        assert!(!sounds_of_latin("Maksat").contains(&sound_of_cyrillic("Максут")));
    }
}
