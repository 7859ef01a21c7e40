//! Is the person named in a document the applicant? Part by part: surname, given name, patronymic.
//! The similarity of the whole says nothing, since brothers differ in one part of three.
//!
//! A part agrees when the document's word is one of the forms that the applicant's word can take
//! (cases, spellings of the two languages, transliterations). Where it is none, it may be a misread
//! form, but only if it is not a name of its own and the other parts are firm: taking another
//! person for the applicant is the error that must not happen.

use std::fmt;

use super::declension::{Gender, forms};
use super::parts::{self, NameWord, Parts};
use super::{Role, alignment, given_names, latin, nominative, patronymic, surnames};

/// The outcome of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NameMatch {
    /// The document's person is the applicant.
    pub same: bool,
    /// How surely they are one, 0 to 1; at least 0.7 exactly when `same`.
    pub score: f32,
    /// What decided.
    pub reason: Reason,
    /// A near miss or a forgiven slip: worth a person's look.
    pub review: bool,
}

/// What decided a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Every part agrees.
    Same,
    /// Every part agrees in another case, spelling or alphabet.
    SameOtherForm,
    /// Surname and initials agree; the document or the application has no more.
    SameInitials,
    /// Surname and given name agree; one side has no patronymic.
    SameWithoutPatronymic,
    /// Letters misread by the reader, the rest firm.
    SameMisread,
    /// One half of a double surname, given name and patronymic in full.
    SameHalfSurname,
    /// Another surname.
    SurnameDiffers,
    /// Another given name.
    GivenNameDiffers,
    /// Another patronymic.
    PatronymicDiffers,
    /// Another initial.
    InitialsDiffer,
    /// A man's name against a woman's.
    GenderDiffers,
    /// Too many slips for one person.
    TooDoubtful,
    /// Fewer than two parts to compare.
    TooLittle,
}

impl fmt::Display for Reason {
    /// For a clerk, in Russian.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Same => "все части имени совпадают",
            Self::SameOtherForm => "имя совпадает, записано в другом падеже или другими буквами",
            Self::SameInitials => "фамилия и инициалы совпадают",
            Self::SameWithoutPatronymic => "фамилия и имя совпадают, отчество указано не везде",
            Self::SameMisread => "имя совпадает с учётом ошибок распознавания",
            Self::SameHalfSurname => "совпадают имя, отчество и часть двойной фамилии",
            Self::SurnameDiffers => "другая фамилия",
            Self::GivenNameDiffers => "другое имя",
            Self::PatronymicDiffers => "другое отчество",
            Self::InitialsDiffer => "другие инициалы",
            Self::GenderDiffers => "имя лица другого пола",
            Self::TooDoubtful => "слишком много расхождений в буквах",
            Self::TooLittle => "имя указано не полностью",
        })
    }
}

/// Compares the applicant's name, as written in the application, with the name in a document, as it
/// stands there: in any case of either language, any order, with initials, and misread.
#[must_use]
pub fn compare(applicant: &str, document: &str) -> NameMatch {
    let (ours, theirs) = (parts::words(applicant), parts::words(document));
    let mut best: Option<NameMatch> = None;
    for our in parts::readings(&ours) {
        for their in parts::readings(&theirs) {
            let outcome = judge(&our, &their);
            if best.is_none_or(|known| outcome.score > known.score) {
                best = Some(outcome);
            }
        }
    }
    if let Some(known) = best.filter(|known| known.same) {
        return known;
    }
    if same_letters(&ours, &theirs) {
        return NameMatch { same: true, score: 0.95, reason: Reason::SameOtherForm, review: false };
    }
    best.unwrap_or(NameMatch { same: false, score: 0.0, reason: Reason::TooLittle, review: false })
}

/// The document's name with its misread letters as the applicant writes them; none where nothing was
/// misread or the two are not one person. For showing, not for judging.
#[must_use]
pub fn mend(applicant: &str, document: &str) -> Option<String> {
    if compare(applicant, document).reason != Reason::SameMisread {
        return None;
    }
    let (ours, theirs) = (parts::words(applicant), parts::words(document));
    let our = parts::readings(&ours).into_iter().next()?;
    let their = parts::readings(&theirs).into_iter().next()?;
    let father = our.patronymic.and_then(NameWord::patronymic);
    let genders = genders(&our, father.as_ref());
    let pairs = [
        (Some(our.surname), Some(their.surname), Role::Surname),
        (our.given, their.given, Role::Given),
        (our.patronymic, their.patronymic, Role::Patronymic),
    ];
    let words = pairs.into_iter().filter_map(|(our, their, role)| {
        let (our, their) = (our?, their?);
        let fit = match role {
            Role::Patronymic => patronymic_fit(our, their, father.as_ref(), their.patronymic().as_ref()),
            _ => word_fit(our, their, role, &genders),
        };
        Some(nominative::capitals(if matches!(fit, Fit::Misread(_)) { &our.text } else { &their.text }))
    });
    Some(words.collect::<Vec<_>>().join(" "))
}

/// How one part of the two names fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Letter for letter.
    Equal,
    /// Another form of the same word.
    Form,
    /// An initial that agrees.
    Initial,
    /// Stands on one side only.
    Absent,
    /// Misread by so much ([`alignment::cost`]).
    Misread(u32),
    /// Another word.
    Other,
}

impl Fit {
    pub(super) const fn firm(self) -> bool {
        matches!(self, Self::Equal | Self::Form)
    }

    const fn slip(self) -> u32 {
        if let Self::Misread(cost) = self { cost } else { 0 }
    }
}

fn judge(our: &Parts<'_>, their: &Parts<'_>) -> NameMatch {
    let father = our.patronymic.and_then(NameWord::patronymic);
    let their_father = their.patronymic.and_then(NameWord::patronymic);
    let genders = genders(our, father.as_ref());
    let given = optional(our.given, their.given, |a, b| word_fit(a, b, Role::Given, &genders));
    let patronymic =
        optional(our.patronymic, their.patronymic, |a, b| patronymic_fit(a, b, father.as_ref(), their_father.as_ref()));
    let surname = word_fit(our.surname, their.surname, Role::Surname, &genders);
    let opposite = match (&father, &their_father) {
        (Some(a), Some(b)) => a.gender != b.gender,
        _ => false,
    };
    if surname == Fit::Other && !opposite && given.firm() && patronymic.firm() && half_surname(our, their, &genders) {
        return NameMatch { same: true, score: 0.8, reason: Reason::SameHalfSurname, review: true };
    }
    let mans_form = father.as_ref().is_some_and(|f| f.gender == Gender::Female)
        && our.surname.text.strip_suffix('а') == Some(&their.surname.text);
    let surname = if mans_form && given.firm() && patronymic.firm() { Fit::Misread(2) } else { surname };
    let lost_in_surname = surname.slip() == 5 && !looks_broken(&their.surname.text);
    let outcome = verdict(surname, given, patronymic, opposite, lost_in_surname);
    // «Трубина О.К.» is a man's genitive or a woman's name: initials do not tell.
    let either = genders == [Gender::Male] && their.surname.text.strip_suffix('а') == Some(&our.surname.text);
    NameMatch { review: outcome.review || outcome.reason == Reason::SameInitials && either, ..outcome }
}

fn verdict(surname: Fit, given: Fit, patronymic: Fit, opposite: bool, lost_in_surname: bool) -> NameMatch {
    let agreeing = [surname, given, patronymic].iter().filter(|fit| !matches!(fit, Fit::Other | Fit::Absent)).count();
    let near = |reason, review| NameMatch { same: false, score: [0.0, 0.15, 0.3, 0.45][agreeing], reason, review };
    if given == Fit::Absent {
        return near(Reason::TooLittle, false);
    }
    if opposite {
        return near(Reason::GenderDiffers, false);
    }
    if surname == Fit::Other {
        return near(Reason::SurnameDiffers, false);
    }
    if given == Fit::Other {
        return near(Reason::GivenNameDiffers, false);
    }
    if patronymic == Fit::Other {
        return near(Reason::PatronymicDiffers, false);
    }
    let slips = surname.slip() + given.slip() + patronymic.slip();
    if slips > 0 {
        let full = |fit: Fit| matches!(fit, Fit::Equal | Fit::Form | Fit::Misread(_));
        let allowed = full(given)
            && full(patronymic)
            && slips <= alignment::LIMIT + 1
            && !lost_in_surname
            && (surname.slip() <= 2 || surname.slip() + given.slip() + patronymic.slip() <= 7)
            && given.slip() <= 5;
        return if allowed {
            let score = 0.93 - 0.03 * f32::from(u8::try_from(slips).unwrap_or(u8::MAX));
            NameMatch { same: true, score, reason: Reason::SameMisread, review: slips > 4 || surname.slip() > 0 }
        } else {
            near(Reason::TooDoubtful, true)
        };
    }
    let (score, reason) = match (given, patronymic) {
        (Fit::Initial, _) | (_, Fit::Initial) => (0.85, Reason::SameInitials),
        (_, Fit::Absent) => (0.9, Reason::SameWithoutPatronymic),
        (Fit::Equal, Fit::Equal) if surname == Fit::Equal => (1.0, Reason::Same),
        _ => (0.98, Reason::SameOtherForm),
    };
    NameMatch { same: true, score, reason, review: false }
}

/// A part that may stand on one side only, or as an initial.
fn optional(our: Option<&NameWord>, their: Option<&NameWord>, full: impl Fn(&NameWord, &NameWord) -> Fit) -> Fit {
    match (our, their) {
        (Some(a), Some(b)) if a.initial || b.initial => {
            if initials_agree(a, b) {
                Fit::Initial
            } else {
                Fit::Other
            }
        }
        (Some(a), Some(b)) => full(a, b),
        _ => Fit::Absent,
    }
}

/// The genders the applicant can have: from the patronymic, else the surname, else the given name.
pub(super) fn genders(our: &Parts<'_>, father: Option<&patronymic::Patronymic>) -> Vec<Gender> {
    if let Some(father) = father {
        return vec![father.gender];
    }
    let surname = our.surname.text.as_str();
    if ["ова", "ева", "ёва", "ина", "ына", "ская", "цкая"].iter().any(|e| surname.ends_with(e)) {
        return vec![Gender::Female];
    }
    if ["ов", "ев", "ёв", "ын", "ский", "цкий"].iter().any(|e| surname.ends_with(e)) {
        return vec![Gender::Male];
    }
    match our.given {
        Some(given) if given_names::is_male(&given.text) && !given_names::is_female(&given.text) => {
            vec![Gender::Male]
        }
        Some(given) if given_names::is_female(&given.text) && !given_names::is_male(&given.text) => {
            vec![Gender::Female]
        }
        _ => vec![Gender::Male, Gender::Female],
    }
}

pub(super) fn word_fit(our: &NameWord, their: &NameWord, role: Role, genders: &[Gender]) -> Fit {
    if our.text == their.text {
        return Fit::Equal;
    }
    if our.latin || their.latin {
        return if sounds_agree(our, their) { Fit::Form } else { Fit::Other };
    }
    let theirs: Vec<char> = their.text.chars().collect();
    let cost_of = if role == Role::Given { alignment::cost_of_known } else { alignment::cost };
    let mut least: Option<u32> = None;
    for gender in genders {
        for (_, form) in forms(&our.text, role, *gender) {
            let cost = cost_of(&form.chars().collect::<Vec<_>>(), &theirs);
            least = least.into_iter().chain(cost).min();
        }
    }
    if least == Some(0) || kazakh_case_of(&our.text, &their.text) {
        return Fit::Form;
    }
    match least {
        Some(cost) if role == Role::Given && given_names::is_nearer(&their.text, cost) => Fit::Other,
        Some(cost) if !own_name(&their.text, role, genders) && theirs.len() >= 4 => Fit::Misread(cost),
        _ => Fit::Other,
    }
}

/// The document's word is the applicant's with a Kazakh case ending.
fn kazakh_case_of(our: &str, their: &str) -> bool {
    let ours: Vec<char> = our.chars().collect();
    patronymic::without_kazakh_case(their)
        .any(|stem| alignment::cost(&ours, &stem.chars().collect::<Vec<_>>()) == Some(0))
}

/// Whether the word is a name of its own, in whatever case: then it is no misread form of another.
fn own_name(word: &str, role: Role, genders: &[Gender]) -> bool {
    let known = |base: &str| match role {
        Role::Surname => base.split('-').all(surnames::is_known),
        Role::Given => given_names::is_known(base),
        Role::Patronymic => false,
    };
    known(word)
        || patronymic::without_kazakh_case(word).any(known)
        || nominative::bases(word).iter().any(|base| {
            known(base) && genders.iter().any(|gender| forms(base, role, *gender).iter().any(|(_, form)| form == word))
        })
}

pub(super) fn patronymic_fit(
    our: &NameWord,
    their: &NameWord,
    father: Option<&patronymic::Patronymic>,
    their_father: Option<&patronymic::Patronymic>,
) -> Fit {
    if our.text == their.text {
        return Fit::Equal;
    }
    if (our.latin || their.latin) && sounds_agree(our, their) {
        return Fit::Form;
    }
    let (Some(father), Some(their_father)) = (father, their_father) else {
        if our.latin || their.latin {
            return Fit::Other;
        }
        // One of them is misread beyond recognition as a patronymic, or is none.
        return word_cost(&our.text, &their.text, father).map_or(Fit::Other, fit_of_cost);
    };
    if father.gender != their_father.gender {
        return Fit::Other;
    }
    if father.kazakh == their_father.kazakh
        && !our.latin
        && !their.latin
        && let Some(cost) = word_cost(&our.text, &their.text, Some(father))
    {
        return match cost {
            0 => Fit::Form,
            _ if is_other_father(&their_father.father, cost) => Fit::Other,
            _ => Fit::Misread(cost),
        };
    }
    let cost = alignment::cost_of_known(&chars(&father.father), &chars(&their_father.father));
    match cost {
        Some(0) => Fit::Form,
        Some(cost) if !is_other_father(&their_father.father, cost) && !our.latin && !their.latin => Fit::Misread(cost),
        _ => Fit::Other,
    }
}

const fn fit_of_cost(cost: u32) -> Fit {
    if cost == 0 { Fit::Form } else { Fit::Misread(cost) }
}

/// The least cost of the document's word against the forms of the applicant's patronymic.
fn word_cost(our: &str, their: &str, father: Option<&patronymic::Patronymic>) -> Option<u32> {
    let gender = father.map_or(Gender::Male, |f| f.gender);
    let theirs = chars(their);
    let base = father.map_or(our, |f| f.nominative.as_str());
    let mut meant: Vec<Vec<char>> =
        forms(base, Role::Patronymic, gender).into_iter().map(|(_, form)| chars(&form)).collect();
    let parsed = patronymic::parse(their);
    if parsed.is_none() {
        // Its ending is misread: try the Kazakh cases too.
        meant.extend(patronymic::KAZAKH_CASES.iter().map(|ending| chars(&format!("{base}{ending}"))));
    }
    let nominative = parsed.map(|p| chars(&p.nominative));
    let whole = meant
        .iter()
        .flat_map(|form| {
            let nominative = nominative.as_ref().and_then(|n| alignment::cost_of_known(form, n));
            [alignment::cost_of_known(form, &theirs), nominative]
        })
        .flatten()
        .min();
    whole.or_else(|| father.and_then(|father| ending_misread(&father.father, &meant, &theirs)))
}

/// The father's name letter for letter, and one sign of the ending read as something else.
fn ending_misread(father: &str, forms: &[Vec<char>], read: &[char]) -> Option<u32> {
    let stem = father.chars().count();
    forms
        .iter()
        .any(|form| {
            form.len() == read.len()
                && form.len() > stem + 2
                && form[..stem] == read[..stem]
                && form.iter().zip(read).filter(|(a, b)| a != b).count() == 1
        })
        .then_some(3)
}

fn chars(word: &str) -> Vec<char> {
    word.chars().collect()
}

/// Whether the stem of a patronymic is another father's name, or nearer to one than `cost`.
fn is_other_father(stem: &str, cost: u32) -> bool {
    known_father(stem) || given_names::is_nearer(stem, cost)
}

/// Whether the stem of a patronymic is a known man's name.
fn known_father(stem: &str) -> bool {
    given_names::is_male(stem)
        || ["й", "ь", "а", "я", "ий"].iter().any(|last| given_names::is_male(&format!("{stem}{last}")))
        || stem.strip_suffix('ь').is_some_and(|s| given_names::is_male(&format!("{s}ий")))
        || matches!(stem, "льв" | "петр" | "павл")
}

fn sounds(word: &NameWord) -> Vec<String> {
    let mut all =
        if word.latin { latin::sounds_of_latin(&word.text) } else { vec![latin::sound_of_cyrillic(&word.text)] };
    // Ó of the Kazakh Latin is Ө, which Russian writes both О and У.
    if word.text.contains(['ó', 'ö', 'ө']) {
        let written = word.text.replace(['ó', 'ö'], "u").replace('ө', "у");
        all.extend(if word.latin {
            latin::sounds_of_latin(&written)
        } else {
            vec![latin::sound_of_cyrillic(&written)]
        });
    }
    all
}

fn sounds_agree(our: &NameWord, their: &NameWord) -> bool {
    let ours = sounds(our);
    sounds(their).iter().any(|sound| ours.contains(sound))
}

fn initials_agree(one: &NameWord, other: &NameWord) -> bool {
    if one.latin || other.latin {
        let first = |word: &NameWord| sounds(word).into_iter().filter_map(|s| s.chars().next()).collect::<Vec<_>>();
        let (a, b) = (first(one), first(other));
        return a.iter().any(|letter| b.contains(letter));
    }
    let (Some(a), Some(b)) = (one.text.chars().next(), other.text.chars().next()) else {
        return false;
    };
    a == b || alignment::cost(&[a], &[b]) == Some(0)
}

/// One half of a double surname on one side, the whole on the other.
fn half_surname(our: &Parts<'_>, their: &Parts<'_>, genders: &[Gender]) -> bool {
    let halves = |word: &NameWord| -> Vec<NameWord> {
        word.text.split('-').map(|half| NameWord { text: half.to_owned(), ..word.clone() }).collect()
    };
    let (ours, theirs) = (halves(our.surname), halves(their.surname));
    if (ours.len() == 2) == (theirs.len() == 2) {
        return false;
    }
    ours.iter()
        .any(|a| theirs.iter().any(|b| a.text.chars().count() >= 3 && word_fit(a, b, Role::Surname, genders).firm()))
}

/// A word with a letter lost is hard to say: three consonants or an odd pair of vowels in a row that
/// no name of its own would have.
fn looks_broken(word: &str) -> bool {
    let kind = |c: char| match c {
        'а' | 'е' | 'ё' | 'и' | 'о' | 'у' | 'ы' | 'э' | 'ю' | 'я' | 'ә' | 'і' | 'ө' | 'ұ' | 'ү' => 'v',
        'ь' | 'ъ' | 'й' | '-' => '-',
        _ => 'c',
    };
    let letters: Vec<char> = word.chars().collect();
    let odd_vowels = letters.windows(2).any(|pair| {
        kind(pair[0]) == 'v'
            && kind(pair[1]) == 'v'
            && matches!(
                (pair[0], pair[1]),
                ('о' | 'ы' | 'і', 'ы' | 'у' | 'и' | 'э' | 'ұ' | 'а')
                    | ('а' | 'ы' | 'э', 'о')
                    | ('а' | 'э', 'ы')
                    | ('э', 'а')
            )
    });
    // No surname ends in a consonant and «в» or «н» (but Горн): a vowel of -ов or -ин is lost.
    let bare_ending = matches!(letters.as_slice(), [.., last, 'в' | 'н'] if kind(*last) == 'c' && *last != 'р');
    let cluster = letters.windows(3).any(|three| {
        three.iter().all(|c| kind(*c) == 'c') && !matches!(three[1], 'с' | 'т' | 'р') && !matches!(three[2], 'р' | 'с')
    });
    odd_vowels || bare_ending || cluster
}

/// The same letters with the spaces and hyphens elsewhere: words run together, parted, or broken at
/// the end of a line.
fn same_letters(ours: &[NameWord], theirs: &[NameWord]) -> bool {
    if theirs.iter().any(|word| word.initial) || ours.iter().any(|word| word.initial || word.latin) {
        return false;
    }
    let letters = |word: &str| word.chars().filter(|c| *c != '-').collect::<Vec<char>>();
    let read: Vec<Vec<char>> = theirs.iter().map(|word| letters(&word.text)).collect();
    if read.iter().map(Vec::len).sum::<usize>() > 40 {
        return false;
    }
    parts::readings(ours).iter().any(|our| {
        let father = our.patronymic.and_then(NameWord::patronymic);
        genders(our, father.as_ref()).into_iter().any(|gender| {
            let words: Vec<(&NameWord, Role)> =
                [(Some(our.surname), Role::Surname), (our.given, Role::Given), (our.patronymic, Role::Patronymic)]
                    .into_iter()
                    .filter_map(|(word, role)| word.map(|word| (word, role)))
                    .collect();
            [0, 1].into_iter().any(|turn| {
                super::Case::ALL.into_iter().any(|case| {
                    let meant: Vec<Vec<char>> = (0..words.len())
                        .map(|index| {
                            let (word, role) = words[(index + turn) % words.len()];
                            let form = forms(&word.text, role, gender).into_iter().find(|(c, _)| *c == case);
                            letters(form.as_ref().map_or(&word.text, |(_, form)| form))
                        })
                        .collect();
                    meant.iter().map(Vec::len).sum::<usize>() >= 6 && same_words(&meant, &read)
                })
            })
        })
    })
}

/// Whether the words are the same in their order, one of them for several where they are torn or run together. A letter
/// that has gone over to the next word makes another name: Нурова Лина and Нуров Алина.
fn same_words(meant: &[Vec<char>], read: &[Vec<char>]) -> bool {
    if meant.is_empty() || read.is_empty() {
        return meant.is_empty() && read.is_empty();
    }
    let same = |one: &[Vec<char>], other: &[Vec<char>]| alignment::cost(&one.concat(), &other.concat()) == Some(0);
    (1..=read.len()).any(|torn| same(&meant[..1], &read[..torn]) && same_words(&meant[1..], &read[torn..]))
        || (2..=meant.len()).any(|run| same(&meant[..run], &read[..1]) && same_words(&meant[run..], &read[1..]))
}
