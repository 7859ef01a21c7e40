//! People: names and IINs.

use std::sync::LazyLock;

use super::dice::Dice;
use crate::domain::names::{given_names, surnames};

/// Somebody who submits documents.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Surname, given name, and mostly a patronymic.
    pub(super) fio: String,
    /// Twelve digits.
    pub(super) iin: String,
}

/// Surnames in their man's form, the most frequent first.
static SURNAMES: LazyLock<Vec<&str>> = LazyLock::new(|| surnames::list().collect());
static MEN: LazyLock<Vec<&str>> = LazyLock::new(|| given_names::men().collect());
static WOMEN: LazyLock<Vec<&str>> = LazyLock::new(|| given_names::women().collect());

/// Surnames that are short, and the same for everybody.
const SHORT: [&str; 14] = ["Ким", "Ли", "Цой", "Пак", "Ян", "Тен", "Хан", "Юн", "Пан", "Ни", "Ан", "Сон", "О", "Ю"];

/// As Kazakhs write names in their own language: surname, man's name, woman's name.
const KAZAKH: [[&str; 3]; 24] = [
    ["Әбдірахманов", "Әділет", "Әлия"],
    ["Нұрғалиев", "Нұрлан", "Нұргүл"],
    ["Қасымов", "Қайрат", "Қарлығаш"],
    ["Өтегенов", "Өмірбек", "Өміргүл"],
    ["Жұмабаев", "Жұмабек", "Жұлдыз"],
    ["Сәрсенов", "Сәкен", "Сәуле"],
    ["Түсіпов", "Тұрсын", "Үміт"],
    ["Есімов", "Ғалым", "Ғалия"],
    ["Мұқанов", "Мұрат", "Мөлдір"],
    ["Бөкеев", "Бақыт", "Бақытгүл"],
    ["Қожахметов", "Дәурен", "Дәмелі"],
    ["Сейітов", "Ерлан", "Айгүл"],
    ["Тілеубердиев", "Тілек", "Гүлнәр"],
    ["Әлімжанов", "Әлібек", "Әсел"],
    ["Құрманов", "Құаныш", "Құралай"],
    ["Оңдасынов", "Оңалбек", "Шолпан"],
    ["Шәріпов", "Шыңғыс", "Ләззат"],
    ["Ысқақов", "Ыбырай", "Інжу"],
    ["Досжанов", "Арман", "Назгүл"],
    ["Ізбасаров", "Әуез", "Фарида"],
    ["Рахымов", "Рүстем", "Раушан"],
    ["Үсенов", "Үкібай", "Ақбота"],
    ["Сүлейменов", "Сұлтан", "Перизат"],
    ["Зәкірия", "Зәки", "Зере"],
];

/// Syllables of surnames that hardly anybody has.
const SYLLABLES: [&str; 24] = [
    "ба", "те", "ку", "лы", "са", "ме", "жо", "дар", "кен", "бул", "тан", "жар", "мир", "гал", "ор", "ун", "зак",
    "пир", "хо", "чум", "вел", "фет", "нур", "шаб",
];

impl Person {
    /// The person of these dice.
    pub(super) fn made(dice: &mut Dice) -> Self {
        let woman = dice.chance(0.56);
        let (men, women): (&[&str], &[&str]) = (&MEN, &WOMEN);
        let (surname, given, father) = match dice.below(100) {
            0..26 => {
                let [surname, _, _] = *dice.skewed(&KAZAKH);
                let given = dice.one(&KAZAKH)[if woman { 2 } else { 1 }];
                (feminine(surname, woman), given, Some(kazakh_father(dice.one(&KAZAKH)[1], woman)))
            }
            26..29 => {
                let given = *dice.skewed(if woman { women } else { men });
                ((*dice.skewed(&SHORT)).to_owned(), given, Some(russian_father(dice.skewed::<&str>(men), woman)))
            }
            29..34 => {
                let (count, mut root) = (2 + dice.below(2), String::new());
                for _ in 0..count {
                    root.push_str(dice.one::<&str>(&SYLLABLES));
                }
                let given = *dice.one(if woman { women } else { men });
                let surname = feminine(&format!("{}ов", capitalised(&root)), woman);
                (surname, given, Some(russian_father(dice.one::<&str>(men), woman)))
            }
            _ => {
                let given = *dice.skewed(if woman { women } else { men });
                let father = dice.chance(0.9).then(|| russian_father(dice.skewed::<&str>(men), woman));
                (feminine(dice.skewed::<&str>(&SURNAMES), woman), given, father)
            }
        };
        let fio = [Some(surname.as_str()), Some(given), father.as_deref()];
        Self { fio: fio.into_iter().flatten().collect::<Vec<_>>().join(" "), iin: iin(dice, woman) }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn feminine(surname: &str, woman: bool) -> String {
    if !woman {
        return surname.to_owned();
    }
    match surname.strip_suffix("ский") {
        Some(root) => format!("{root}ская"),
        None if ["ов", "ев", "ёв", "ин", "ын"].iter().any(|ending| surname.ends_with(ending)) => {
            format!("{surname}а")
        }
        None => surname.to_owned(),
    }
}

fn russian_father(name: &str, woman: bool) -> String {
    let [hard, soft] = if woman { ["овна", "евна"] } else { ["ович", "евич"] };
    match name.strip_suffix(['а', 'я']) {
        Some(root) => format!("{root}{}", if woman { "ична" } else { "ич" }),
        None => match name.strip_suffix(['й', 'ь']) {
            Some(root) => format!("{root}{soft}"),
            None => format!("{name}{hard}"),
        },
    }
}

fn kazakh_father(name: &str, woman: bool) -> String {
    format!("{name}{}", if woman { "қызы" } else { "ұлы" })
}

fn iin(dice: &mut Dice, woman: bool) -> String {
    let (year, month, day) = (60 + dice.below(48), 1 + dice.below(12), 1 + dice.below(28));
    let century = if year < 100 { 3 } else { 5 } + u64::from(woman);
    format!("{:02}{month:02}{day:02}{century}{:05}", year % 100, dice.below(100_000))
}
