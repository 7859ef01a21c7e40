//! Made-up people, and papers about them.

use rand::Rng as _;
use rand::rngs::StdRng;

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Surname.
    pub last: String,
    /// Given name.
    pub first: String,
    /// Patronymic; empty: none.
    pub second: String,
}

const SURNAMES: [&str; 8] = ["Ахметов", "Ковалёв", "Смагулов", "Нуртазин", "Белов", "Тулегенов", "Омаров", "Ли"];
const GIVEN: [&str; 8] = ["Марат", "Пётр", "Данияр", "Әлихан", "Егор", "Ержан", "Олег", "Вадим"];
const FATHERS: [&str; 6] = ["Маратович", "Сергеевич", "Данияулы", "Ержанович", "Олегович", ""];
const WORDS: [&str; 16] = [
    "справка",
    "выдана",
    "настоящая",
    "о том",
    "что",
    "зарегистрирован",
    "в качестве",
    "безработного",
    "центр",
    "занятости",
    "города",
    "қала",
    "жұмыссыз",
    "ретінде",
    "тіркелген",
    "директор",
];

impl Person {
    pub(super) fn some(dice: &mut StdRng) -> Self {
        let one = |words: &[&str], dice: &mut StdRng| words[dice.random_range(0..words.len())].to_owned();
        Self {
            last: format!("{}-{}", one(&SURNAMES, dice), one(&SURNAMES, dice)),
            first: one(&GIVEN, dice),
            second: one(&FATHERS, dice),
        }
    }

    /// `last first second`.
    #[must_use]
    pub fn fio(&self) -> String {
        let words = [&self.last, &self.first, &self.second].map(String::as_str);
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// A page of about two kilobytes.
pub(super) fn text(dice: &mut StdRng, person: &Person, page: usize) -> String {
    let mut text = format!("СПРАВКА № {}\nДана гр. {}\n", dice.random_range(1..9999), person.fio());
    for at in 0..(90 / (page + 1)) {
        text.push_str(WORDS[dice.random_range(0..WORDS.len())]);
        text.push(if at % 9 == 8 { '\n' } else { ' ' });
    }
    text
}
