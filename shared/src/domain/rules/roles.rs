//! What part a person plays in a document, told from the words around the name.

use std::sync::LazyLock;

use super::tokens::Token;
use super::word_list::WordList;

/// Words before a name that make it the document's person, with their weight.
static PERSON_BEFORE: LazyLock<WordList<f32>> = LazyLock::new(|| {
    WordList::new(&[
        ("плательщик", 2.0),
        ("төлеуші", 2.0),
        ("клиент", 2.0),
        ("сотрудник", 2.0),
        ("застрахован", 3.0),
        ("дана", 4.0),
        ("выдан", 4.0),
        ("выдано", 4.0),
        ("предостав", 4.0),
        ("гражданин", 2.0),
        ("гражданк", 2.0),
        ("гр", 2.0),
        ("пациент", 4.0),
        ("больной", 3.0),
        ("больному", 3.0),
        ("уважаем", 5.0),
        ("құрметті", 5.0),
        ("субъект", 5.0),
        ("запрос", 2.0),
        ("работник", 2.0),
        ("договор", 3.0),
        ("что", 3.0),
        ("осы", 2.0),
        ("анықтама", 2.0),
        ("берілді", 4.0),
        ("науқас", 4.0),
        ("жүруші", 4.0),
        ("азамат", 2.0),
        ("бұйырамын", 3.0),
        ("приказываю", 3.0),
        ("уволить", 5.0),
        ("расторгнуть", 4.0),
        ("прекратить", 3.0),
        ("освободить", 3.0),
        ("сопровожд", 4.0),
        ("фио", 4.0),
        ("таә", 4.0),
        ("отчество", 4.0),
        ("заявлен", 1.5),
        ("өтініш", 1.0),
        ("ознакомл", 2.0),
        ("таныстым", 2.0),
        ("тегі", 3.0),
        ("освидетельствован", 2.0),
        ("қызметкер", 2.0),
        ("установл", 1.0),
        ("сохранить", 1.5),
        ("выплатить", 1.5),
        ("безработн", 1.0),
        ("инвалид", 2.0),
        ("заявител", 3.0),
        ("получател", 3.0),
        ("владел", 2.0),
    ])
});

/// Words after a name that make it the document's person.
static PERSON_AFTER: LazyLock<WordList<f32>> = LazyLock::new(|| {
    WordList::new(&[
        ("иин", 4.0),
        ("жсн", 4.0),
        ("туған", 3.0),
        ("рожден", 3.0),
        ("жасалған", 4.0),
        ("берілді", 4.0),
        ("берілген", 2.0),
        ("демалыс", 3.0),
        ("бастап", 2.0),
        ("принят", 2.0),
        ("работа", 2.0),
        ("находи", 2.0),
        ("зарегистрир", 3.0),
        ("состо", 2.0),
        ("отпуск", 2.0),
        ("жұмыс", 1.5),
        ("тіркел", 3.0),
        ("дейін", 1.0),
        ("действительно", 3.0),
        ("том", 3.0),
        ("өтініш", 1.5),
        ("төлесін", 1.5),
        ("өтемақы", 1.5),
        ("компенсац", 1.5),
    ])
});

/// Words before a name that make it somebody else.
static OTHER_BEFORE: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "директор",
        "руководит",
        "бухгалтер",
        "заведующ",
        "врач",
        "дәрігер",
        "басшы",
        "меңгеруш",
        "председат",
        "төраға",
        "член",
        "мүше",
        "консульт",
        "начальник",
        "исполнит",
        "исп",
        "орынд",
        "нотариус",
        "ребен",
        "бала",
        "сын",
        "доч",
        "сыну",
        "министр",
        "уполномочив",
        "управляющ",
        "табельщик",
        "контрол",
        "бақыла",
        "специалист",
        "маман",
        "регистратор",
        "оператор",
        "юрисконсульт",
        "инспектор",
        "секретар",
        "хатшы",
        "медсестр",
        "хирург",
        "терапевт",
        "бөлім",
        "руковод",
        "арендодат",
        "ип",
        "жк",
        "ул",
        "улиц",
        "пр",
        "проспект",
        "им",
        "имени",
        "главн",
        "ректор",
        "президент",
        "әкім",
        "аким",
        "менеджер",
        "мейіргер",
        "маманы",
        "кадр",
        "возлож",
        "жүктел",
        "балаға",
        "баланың",
        "супруг",
        "жұбайы",
        "опекун",
        "представит",
        "свидетел",
        "наймодат",
        "продав",
        "поверенн",
    ])
});

/// Words after a name that make it somebody else.
static OTHER_AFTER: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "жүктел",
        "возлагает",
        "көшес",
        "даңғыл",
        "нотариус",
        "директор",
        "бақыла",
        "внести",
        "жүргізсін",
        "тіксін",
        "атындағы",
        "произвести",
        "ознакомить",
    ])
});

/// Words that name a post: before a signature they make the signer, before a full name in the text
/// they may be the person's own («Бас маман Ысқақов Серік Қанатовичке»).
static POSTS: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "маман",
        "специалист",
        "оператор",
        "бухгалтер",
        "экономист",
        "менеджер",
        "инспектор",
        "есепші",
        "жүргізуші",
        "инженер",
        "продав",
        "мұғалім",
        "главн",
        "регистратор",
        "секретар",
        "терапевт",
        "хирург",
        "бөлім",
    ])
});

/// Weight of the words around `tokens[first..=last]`: positive for the document's person, negative
/// for a signer, doctor, child or anyone else.
pub(super) fn weigh(tokens: &[Token], first: usize, last: usize, initials: bool) -> f32 {
    let mut weight = before(tokens, first, last, initials) + after(tokens, last);
    if initials && is_signature(tokens, first, last) {
        weight -= 4.0;
    }
    weight
}

/// The words before, nearest first; the farther the weaker; other people's words end the look.
fn before(tokens: &[Token], first: usize, last: usize, initials: bool) -> f32 {
    let page = tokens[first].page;
    let line = tokens[first].line;
    let mut weight = 0.0f32;
    let mut seen = 0u8;
    for (at, token) in tokens[..first].iter().enumerate().rev() {
        if token.page != page || token.line + 2 < line || seen >= 7 {
            break;
        }
        if token.is('.') && token.line != line {
            break;
        }
        if !token.is_word() {
            continue;
        }
        seen += 1;
        let near = f32::from(8 - seen) / 7.0;
        // «Выдан: …» is nearer than a child of whom the line above speaks.
        if weight >= DECIDES {
            break;
        }
        // «… за ребенком (Ким Светлана, …)»: the bracket says which child.
        let bracketed = at + 2 == first && tokens[at + 1].is('(');
        if OTHER_BEFORE.has(token) && (bracketed || !is_no_child(&tokens[..=at])) {
            let same_line = token.line == line;
            let post = POSTS.has(token) && (!initials || goes_on(tokens, last));
            if seen <= 4 && !post && (same_line || seen <= 2) {
                return weight.min(0.0) - 5.0;
            }
        }
        if let Some(value) = PERSON_BEFORE.value(token) {
            weight = weight.max(value * near);
        }
    }
    weight
}

/// Whether the sentence goes on behind the name: no signature is there.
fn goes_on(tokens: &[Token], last: usize) -> bool {
    let (page, line) = (tokens[last].page, tokens[last].line);
    tokens.get(last + 1).is_some_and(|next| next.page == page && next.line == line && next.is_word() && !next.capital())
}

/// Words that say whose document it is, so that those before them say nothing more.
const DECIDES: f32 = 3.0;

/// Whether the last of the words speaks of a child that is not the one named next: «отпуск по уходу за ребенком»,
/// «матери ребенка».
fn is_no_child(words: &[Token]) -> bool {
    let Some((child, before)) = words.split_last() else {
        return false;
    };
    if !CHILD.has(child) {
        return false;
    }
    let mut near = before.iter().rev().filter(|token| token.is_word());
    let leave = near.clone().take(5).any(|token| LEAVE.has(token));
    leave || near.next().is_some_and(|token| PARENT.has(token))
}

static CHILD: LazyLock<WordList<()>> = LazyLock::new(|| WordList::of(&["ребен", "бала"]));
static LEAVE: LazyLock<WordList<()>> = LazyLock::new(|| WordList::of(&["отпуск", "демалыс", "декрет"]));
static PARENT: LazyLock<WordList<()>> = LazyLock::new(|| WordList::of(&["мать", "матери", "отец", "отцу", "родител"]));

fn after(tokens: &[Token], last: usize) -> f32 {
    let page = tokens[last].page;
    let line = tokens[last].line;
    let mut weight = 0.0f32;
    let mut seen = 0u8;
    for token in &tokens[last + 1..] {
        if token.page != page || token.line > line + 1 || seen >= 6 {
            break;
        }
        if !token.is_word() {
            // The twelve digits of an IIN.
            if token.text.len() == 12 && token.text.bytes().all(|b| b.is_ascii_digit()) {
                weight = weight.max(3.0);
            }
            continue;
        }
        seen += 1;
        // A post at the head of the next line is the signer's.
        if seen <= 3 && OTHER_AFTER.has(token) && (token.line == line || !token.capital()) {
            return -5.0;
        }
        let near = f32::from(7 - seen) / 6.0;
        if let Some(value) = PERSON_AFTER.value(token) {
            weight = weight.max(value * near);
        }
    }
    weight
}

/// Initials at the end of a line, after a post or a gap: the one who signs.
fn is_signature(tokens: &[Token], first: usize, last: usize) -> bool {
    let line = tokens[last].line;
    let page = tokens[last].page;
    let ends = tokens.get(last + 1).is_none_or(|next| next.page != page || next.line != line);
    let apart = tokens[first].heads;
    ends && apart && !introduced(tokens, first)
}

/// «С приказом ознакомлен ____ И.И. Иванов» is signed by the person.
fn introduced(tokens: &[Token], first: usize) -> bool {
    let (line, page) = (tokens[first].line, tokens[first].page);
    tokens[..first].iter().rev().take_while(|t| t.page == page && t.line == line).any(|t| INTRODUCED.has(t))
}

static INTRODUCED: LazyLock<WordList<()>> =
    LazyLock::new(|| WordList::of(&["ознакомл", "таныс", "фио", "пациент", "науқас"]));
