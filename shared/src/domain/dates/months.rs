//! Names of months in both languages, in any case, with a misread letter.

use std::sync::LazyLock;

use super::super::letters::{distance, fold, mend_alphabet};

/// Stems by month; the first letters decide, endings may follow.
const STEMS: [&[&str]; 12] = [
    &["январ", "қаңтар", "янв"],
    &["феврал", "ақпан", "фев"],
    &["март", "наурыз", "мар"],
    &["апрел", "сәуір", "апр"],
    &["мая", "май", "мамыр"],
    &["июн", "маусым"],
    &["июл", "шілде"],
    &["август", "тамыз", "авг"],
    &["сентябр", "қыркүйек", "сен", "сент"],
    &["октябр", "қазан", "окт"],
    &["ноябр", "қараша", "ноя", "нояб"],
    &["декабр", "желтоқсан", "дек"],
];

const LATIN: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const LATIN_FULL: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Endings of cases that may follow a stem: январ-я, қараша-ның, желтоқсан-да.
const ENDINGS: &[&str] = &[
    "", "ь", "я", "ю", "е", "ем", "а", "у", "ом", "и", "ы", "нын", "нин", "да", "де", "дан", "ден", "тан", "тен", "га",
    "ге", "ка", "ке", "дагы", "деги", "тагы", "теги", "ы", "иы", "ый",
];

static FOLDED: LazyLock<Vec<(Vec<char>, u32)>> = LazyLock::new(|| {
    STEMS
        .iter()
        .zip(1..)
        .flat_map(|(stems, month)| stems.iter().map(move |stem| (fold(stem).chars().collect(), month)))
        .collect()
});

/// The month that `word` names.
pub(super) fn month(word: &str) -> Option<u32> {
    if word.len() < 3 {
        return None;
    }
    let latin = word.to_ascii_lowercase();
    if let Some(index) = LATIN
        .iter()
        .zip(LATIN_FULL)
        .position(|(short, full)| latin == *short || latin == full || (latin == "sept" && *short == "sep"))
    {
        return u32::try_from(index + 1).ok();
    }
    let word: Vec<char> = fold(&mend_alphabet(word)).chars().collect();
    if word.len() > 14 {
        return None;
    }
    exact(&word).or_else(|| nearest(&word))
}

fn exact(word: &[char]) -> Option<u32> {
    FOLDED
        .iter()
        .find(|(stem, _)| {
            word.starts_with(stem) && {
                let rest: String = word[stem.len()..].iter().collect();
                ENDINGS.contains(&rest.as_str()) && (stem.len() > 3 || rest.len() <= 2 || matches!(stem[0], 'и'))
            }
        })
        .map(|(_, month)| *month)
}

/// The one month that is nearest by a misread letter or two; a tie between two months is none.
fn nearest(word: &[char]) -> Option<u32> {
    if word.len() < 4 {
        return None;
    }
    let (mut best, mut month, mut tie) = (usize::MAX, 0, false);
    for (stem, of) in FOLDED.iter().filter(|(stem, _)| stem.len() >= 5) {
        let most = if stem.len() >= 7 { 4 } else { 2 };
        // The word with its ending cut to the stem's length, one more or less.
        for length in stem.len().saturating_sub(1)..=(stem.len() + 1) {
            if length > word.len() || word.len() > stem.len() + 4 {
                continue;
            }
            if let Some(cost) = distance(&word[..length], stem, most) {
                if cost < best {
                    (best, month, tie) = (cost, *of, false);
                } else if cost == best && month != *of {
                    tie = true;
                }
            }
        }
    }
    (best != usize::MAX && !tie).then_some(month)
}
