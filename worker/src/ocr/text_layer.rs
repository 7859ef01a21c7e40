//! The text layer of a PDF page, and whether it is one to rely on.

use shared::domain::{Rect, Word};

use super::tsv::{self, Row};
use crate::imaging::Gray;

/// A page of a PDF as `pdftotext` tells it.
#[derive(Clone, Debug)]
pub(super) struct LayerPage {
    /// Width and height in points, as the page is shown.
    pub points: (f32, f32),
    /// Its words.
    pub words: Vec<Word>,
}

/// Letters that a page must have at least to be read from its text layer.
const ENOUGH_LETTERS: usize = 40;

/// Letters lower than this, in points, are not meant for people.
const SMALLEST: f32 = 4.0;

/// Shades between the darkest and the brightest pixel of a word that people see: grey on white, white on blue.
const VISIBLE: u8 = 40;

/// A4, where `pdftotext` says nothing of a page.
const UNTOLD: (f32, f32) = (595.0, 842.0);

/// The pages of a table, `count` of them.
pub(super) fn pages(table: &str, count: u32) -> Vec<LayerPage> {
    let rows: Vec<Row<'_>> = tsv::rows(table).collect();
    (1..=count)
        .map(|number| {
            let on_page = || rows.iter().copied().filter(move |row| row.page == number);
            let points = on_page()
                .find(|row| row.level == 1)
                .map(|row| (row.width, row.height))
                .filter(|(width, height)| *width > 1.0 && *height > 1.0)
                .unwrap_or(UNTOLD);
            let visible = on_page().filter(|row| {
                row.height >= SMALLEST
                    && row.left + row.width > 0.0
                    && row.top + row.height > 0.0
                    && row.left < points.0
                    && row.top < points.1
            });
            LayerPage { points, words: tsv::words(visible, points.0, points.1) }
        })
        .collect()
}

/// The words that leave a trace on the picture of their page: what is written invisibly, in the colour of its
/// ground or under something opaque leaves none.
pub(super) fn visible(words: &[Word], picture: &Gray) -> Vec<Word> {
    words.iter().filter(|word| leaves_a_trace(word.rect, picture)).cloned().collect()
}

fn leaves_a_trace(place: Rect, picture: &Gray) -> bool {
    let part = |from: u16, length: u16, of: usize| {
        let (from, to) = (usize::from(from), usize::from(from) + usize::from(length));
        (from * of / 1000).min(of)..(to * of).div_ceil(1000).min(of)
    };
    let (across, down) = (part(place.x, place.width, picture.width), part(place.y, place.height, picture.height));
    let pixels = || picture.rows().skip(down.start).take(down.len()).flat_map(|row| &row[across.clone()]);
    match (pixels().min(), pixels().max()) {
        (Some(darkest), Some(brightest)) => brightest - darkest >= VISIBLE,
        _ => false,
    }
}

/// Whether the words are text of the languages we read: enough letters, most of them Cyrillic or
/// Latin, in words of usual length, with vowels. Fonts without a character map yield other signs,
/// wrongly mapped ones letters in an unlikely mix.
pub(super) fn is_real(words: &[Word]) -> bool {
    let (mut letters, mut others, mut odd) = (0usize, 0usize, 0usize);
    let (mut long, mut plausible) = (0usize, 0usize);
    for word in words {
        let mut in_word = 0;
        let mut vowels = 0;
        for letter in word.text.chars() {
            match letter {
                'a'..='z' | 'A'..='Z' | 'А'..='я' | 'Ё' | 'ё' => in_word += 1,
                // Kazakh.
                'Ә' | 'ә' | 'Ғ' | 'ғ' | 'Қ' | 'қ' | 'Ң' | 'ң' | 'Ө' | 'ө' | 'Ұ' | 'ұ' | 'Ү' | 'ү' | 'Һ' | 'һ' | 'І'
                | 'і' => in_word += 1,
                '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{0}'..='\u{1F}' => odd += 1,
                other if other.is_alphabetic() => others += 1,
                _ => {}
            }
            if "аеёиоуыэюяәіөұүaeiouyАЕЁИОУЫЭЮЯӘІӨҰҮAEIOUY".contains(letter) {
                vowels += 1;
            }
        }
        letters += in_word;
        if in_word >= 4 {
            long += 1;
            if vowels * 6 >= in_word && in_word <= 40 {
                plausible += 1;
            }
        }
    }
    letters >= ENOUGH_LETTERS && (others + odd) * 10 <= letters && plausible * 10 >= long * 7 && long >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let rect = Rect { x: 0, y: 0, width: 1, height: 1 };
        text.split_whitespace().map(|text| Word { text: text.to_owned(), rect, confidence: 1.0, line: 0 }).collect()
    }

    #[test]
    fn text_in_russian_kazakh_and_latin_is_real() {
        assert!(is_real(&words("Приказ о предоставлении отпуска без сохранения заработной платы работнику")));
        assert!(is_real(&words("Қазақстан Республикасы Еңбек және халықты әлеуметтік қорғау министрлігі")));
        assert!(is_real(&words("This is to certify that the bearer is employed with our company since May")));
    }

    #[test]
    fn too_little_or_garbled_text_is_not() {
        assert!(!is_real(&words("Стр. 1 из 1")));
        assert!(!is_real(&words("\u{F020}\u{F041}\u{F042} \u{F020}\u{F041}\u{F042}\u{F020}\u{F041}\u{F042}")));
        assert!(!is_real(&words("Ïðèêàç î ïðåäîñòàâëåíèè îòïóñêà áåç ñîõðàíåíèÿ çàðàáîòíîé ïëàòû ðàáîòíèêó")));
        assert!(!is_real(&words("Рткпм бвгдж лмнпр стфхц кклмн вгбдж рстфк лкмнп дхцчш ррстп кклдж бвгдх")));
    }

    #[test]
    fn words_off_the_page_or_too_small_to_see_do_not_count() {
        let table = "1\t1\t0\t0\t0\t0\t0\t0\t595\t842\t-1\t###PAGE###\n\
                     5\t1\t0\t0\t0\t0\t100\t100\t50\t10\t100\tвидно\n\
                     5\t1\t0\t0\t1\t0\t700\t100\t50\t10\t100\tснаружи\n\
                     5\t1\t0\t0\t2\t0\t100\t300\t50\t1\t100\tмелко\n";
        let pages = pages(table, 2);
        assert_eq!(tsv::text(&pages[0].words), "видно");
        assert!(pages[1].words.is_empty());
        assert_eq!(pages[1].points, UNTOLD);
    }

    #[test]
    fn words_in_the_colour_of_their_ground_are_not_visible() {
        let mut picture = Gray::filled(100, 100, 250);
        // Print in one place, and a shade that nobody sees in another.
        picture.pixels[10 * 100 + 15] = 60;
        picture.pixels[50 * 100 + 55] = 230;
        let at = |x, y| Word {
            text: "слово".to_owned(),
            rect: Rect { x, y, width: 100, height: 20 },
            confidence: 1.0,
            line: 0,
        };
        let words = [at(100, 100), at(500, 500), at(990, 990)];
        assert_eq!(visible(&words, &picture), words[..1]);
        assert!(visible(&words, &Gray::filled(0, 0, 0)).is_empty());
    }
}
