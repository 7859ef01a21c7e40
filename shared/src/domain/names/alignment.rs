//! How two spellings of one word differ: not at all, only as Kazakh and Russian spellings do, by
//! letters that readers confuse, or really.

use super::super::letters::{confusable, fold_char, is_kazakh_only};

/// Costs beyond this are another word.
pub(super) const LIMIT: u32 = 6;

/// One sign taken for another that looks like it.
const MISREAD: u32 = 2;
/// A sign lost or added, or doubled.
const LOST: u32 = 5;
const DOUBLED: u32 = 2;
/// A real difference.
const OTHER: u32 = 9;

/// The cost of taking `read` (from the document) for `meant`, both in lower case: 0 for the same
/// word in either spelling, up to [`LIMIT`] for slips of the reader; none beyond.
#[must_use]
pub(super) fn cost(meant: &[char], read: &[char]) -> Option<u32> {
    cost_with(meant, read, misread)
}

/// [`cost`] with every pair of letters that readers have been seen to confuse: for given names and
/// patronymics, where the dictionary tells a misread name from another one.
#[must_use]
pub(super) fn cost_of_known(meant: &[char], read: &[char]) -> Option<u32> {
    cost_with(meant, read, |a, b| misread(a, b) || confusable(fold_char(a), fold_char(b)))
}

fn cost_with(meant: &[char], read: &[char], misread: impl Fn(char, char) -> bool) -> Option<u32> {
    if meant.len().abs_diff(read.len()) > 2 || meant.len() > 40 || read.len() > 40 {
        return None;
    }
    let kazakh = meant.iter().chain(read).any(|c| is_kazakh_only(*c));
    let mut before: Vec<u32> = Vec::new();
    let mut above: Vec<u32> = (0..=read.len()).map(|j| gap_sum(read, j, kazakh)).collect();
    for i in 1..=meant.len() {
        let mut row = vec![0; read.len() + 1];
        row[0] = gap_sum(meant, i, kazakh);
        for j in 1..=read.len() {
            let (a, b) = (meant[i - 1], read[j - 1]);
            let lost = above[j] + gap(meant, i - 1, kazakh);
            let added = row[j - 1] + gap(read, j - 1, kazakh);
            // Сағынтаев and Сагинтаев.
            let vowel = kazakh && matches!((a, b), ('ы', 'и') | ('и', 'ы'));
            let swapped = if vowel { 0 } else { swap(meant, i - 1, read, j - 1, &misread) };
            let mut best = (above[j - 1] + swapped).min(lost).min(added);
            // «ы» read as «ьі» or «ьл», «ю» as «іо», «нг» for ң.
            if j > 1
                && let Some(cost) = splits(a, read[j - 2], b)
            {
                best = best.min(above[j - 2] + cost);
            }
            if i > 1
                && let Some(cost) = splits(b, meant[i - 2], a)
            {
                best = best.min(before[j - 1] + cost);
            }
            row[j] = best;
        }
        if row.iter().min().is_none_or(|least| *least > LIMIT) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    let cost = above[read.len()];
    (cost <= LIMIT).then_some(cost)
}

fn gap_sum(word: &[char], end: usize, kazakh: bool) -> u32 {
    (0..end).map(|i| gap(word, i, kazakh)).sum()
}

/// What it costs that a sign stands on one side only.
fn gap(word: &[char], at: usize, kazakh: bool) -> u32 {
    match word[at] {
        // Гүлнар and Гульнар, Әсел and Асель; Ілияс and Ильяс.
        'ь' | 'ъ' if kazakh => 0,
        'ь' | 'ъ' => MISREAD,
        // Тілеген and Тлеген, Әбдірахман and Абдрахман: Russian leaves the short і out.
        'і' if at > 0 && consonant(word[at - 1]) && word.get(at + 1).is_some_and(|c| consonant(*c)) => 0,
        letter if at > 0 && word[at - 1] == letter => DOUBLED,
        _ => LOST,
    }
}

const fn consonant(letter: char) -> bool {
    matches!(letter, 'б'..='д' | 'ж' | 'з' | 'к'..='н' | 'п'..='т' | 'ф'..='щ' | 'ғ' | 'қ' | 'ң' | 'һ')
}

/// One letter that stands as two on the other side, with its cost.
fn splits(whole: char, first: char, second: char) -> Option<u32> {
    match (whole, first, second) {
        // Нұрпейісов and Нурпеисов.
        ('и', 'й', 'і') | ('ң', 'н', 'г') => Some(0),
        ('ы', 'ь' | 'ъ' | 'б', 'і' | 'i' | 'l' | 'л' | '1' | '|' | 'и')
        | ('ю', 'і' | '1' | 'l', 'о')
        | ('ш', 'і', 'ц') => Some(MISREAD),
        _ => None,
    }
}

fn swap(meant: &[char], i: usize, read: &[char], j: usize, misread: impl Fn(char, char) -> bool) -> u32 {
    let (a, b) = (meant[i], read[j]);
    if a == b || same_spelling(a, b) || same_spelling(b, a) || harmonic(meant, i, b) || harmonic(read, j, a) {
        0
    } else if misread(a, b) || misread(b, a) {
        MISREAD
    } else {
        OTHER
    }
}

/// Whether the Kazakh letter is written as the other one in Russian.
const fn same_spelling(kazakh: char, russian: char) -> bool {
    matches!(
        (kazakh, russian),
        ('ё', 'е')
            | ('ә', 'а' | 'я' | 'е' | 'э')
            | ('ғ', 'г')
            | ('қ', 'к')
            | ('ң', 'н')
            | ('ө', 'о' | 'у' | 'ү')
            | ('ұ', 'у')
            | ('ү', 'у' | 'ю' | 'ұ')
            | ('һ', 'х' | 'г')
            | ('і', 'и' | 'ы' | 'ь')
    )
}

/// Жүніс and Жунус, Нүсіп and Нусуп: і after ү is also written у; and Қызы-like words ы as и
/// (Ысқақов and Искаков).
fn harmonic(word: &[char], at: usize, other: char) -> bool {
    match (word[at], other) {
        ('і', 'у') => {
            word[..at].iter().rev().find(|c| "аәеиоөуұүыіэюяё".contains(**c)).is_some_and(|c| *c == 'ү' || *c == 'ұ')
        }
        ('ы', 'и') => at == 0,
        _ => false,
    }
}

/// Letters that readers really take for each other. Narrow on purpose: a pair here makes two
/// surnames one when every other part agrees.
fn misread(a: char, b: char) -> bool {
    matches!(
        (a, b),
        ('и', 'н' | 'й' | 'п' | 'ш' | 'ц')
            | ('н', 'п')
            | ('ш', 'щ')
            | ('п', 'л')
            | ('т', 'г')
            | ('е', 'с')
            | ('з', 'э')
            | ('ь', 'ъ')
            | ('а', 'о')
            | ('о', 'с')
            | ('ц', 'щ')
            | ('ғ' | 'қ' | 'ң' | 'ә', 'т' | 'н' | 'п' | 'э' | 'з')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(meant: &str, read: &str) -> Option<u32> {
        cost(&meant.chars().collect::<Vec<_>>(), &read.chars().collect::<Vec<_>>())
    }

    #[test]
    fn spellings_of_the_two_languages_are_one_word() {
        for (kazakh, russian) in [
            ("жүнісова", "жунусова"),
            ("әбдірахманов", "абдирахманов"),
            ("гүлнәр", "гульнар"),
            ("әсел", "асель"),
            ("ысқақов", "искаков"),
            ("төлеген", "тулеген"),
            ("тілеген", "тлеген"),
            ("әбдірахманова", "абдрахманова"),
            ("ләззат", "ляззат"),
            ("сағынтаев", "сагинтаев"),
        ] {
            assert_eq!(between(kazakh, russian), Some(0), "{kazakh}");
            assert_eq!(between(russian, kazakh), Some(0), "{kazakh}");
        }
    }

    #[test]
    fn another_word_is_beyond_the_limit() {
        for (one, other) in [("ахметов", "ахмедов"), ("орлов", "котов"), ("максат", "максут"), ("асет", "асель")]
        {
            assert_eq!(between(one, other), None, "{one} {other}");
        }
    }

    #[test]
    fn a_slip_of_the_reader_costs_little() {
        assert_eq!(between("мейрамова", "мейрамопа"), None);
        assert_eq!(between("темирханов", "темирхаиов"), Some(2));
        assert_eq!(between("птицын", "птицьлн"), Some(2));
        assert_eq!(between("салимбаев", "салмбаев"), Some(5));
        assert_eq!(between("файзуллин", "файзулллин"), Some(2));
    }
}
