//! The issue date among birth dates, periods, appointments, other papers' dates and stamps of the
//! inbox; the leave's first day where a paper of parental leave has no issue date.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::NaiveDate;

use super::span_quote;
use super::tokens::Token;
use super::word_list::WordList;
use crate::domain::dates::{self, DateCandidate};
use crate::domain::doc_types::DocType;
use crate::domain::letters::{distance, fold, is_word_sign, prefix_distance};
use crate::domain::page::Page;
use crate::domain::run::{DateKind, Found};

/// Labels of the issue date, with their weight.
const ISSUE: &[(&str, f32)] = &[
    ("дата выдачи", 8.0),
    ("дата выписки", 6.0),
    ("дата составления", 6.0),
    ("дата формирования", 7.0),
    ("дата документа", 7.0),
    ("дата получения справки", 6.0),
    ("дата получения документа", 6.0),
    ("дата получения сведений", 6.0),
    ("құжатты алған күні", 6.0),
    ("дата подписания", 5.0),
    ("дата оформления", 6.0),
    ("дата приказа", 7.0),
    ("дата справки", 7.0),
    ("дата уведомления", 6.0),
    ("дата заключения", 6.0),
    ("сформирован", 7.0),
    ("берілген күні", 8.0),
    ("берілген күн", 8.0),
    ("сұрау салынған күн", 7.0),
    ("құжаттың күні", 7.0),
    ("толтырылған күні", 6.0),
    ("жасалған күні", 5.0),
    ("бұйрық күні", 7.0),
    ("выдан", 4.0),
    ("выдана", 4.0),
    ("выдано", 4.0),
    ("берілді", 3.0),
    ("дата", 4.0),
    ("күні", 4.0),
    ("составлен", 4.0),
    ("қалыптастырылған", 6.0),
];

/// Words that make a date something else.
static OTHER_BEFORE: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "рожд",
        "туған",
        "родив",
        "явк",
        "явит",
        "переосвидет",
        "освидетельств",
        "куәландыру",
        "вход",
        "вх",
        "кіріс",
        "срок",
        "мерзім",
        "действ",
        "закон",
        "заң",
        "кодекс",
        "утвержд",
        "бекіт",
        "договор",
        "шарт",
        "заявлен",
        "өтініш",
        "акт",
        "регистрац",
        "тіркел",
        "тіркеу",
        "поступ",
        "түскен",
        "шыққан",
        "установлен",
        "приём",
        "прием",
        "принят",
        "печат",
        "получен",
        "следующ",
        "келесі",
        "очередн",
        "начал",
        "окончан",
        "период",
        "кезең",
        "свидетельств",
        "решен",
        "протокол",
        "основан",
        "негізд",
        "расторгн",
        "увол",
        "босат",
        "открыт",
        "закрыт",
        "госпитал",
        "обращен",
        "постановлен",
        "қаулы",
        "министр",
        "действител",
        "жарамды",
        "ознакомл",
        "таныс",
        "трудов",
        "отпуск",
        "белгіленген",
    ])
});

static OTHER_AFTER: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&[
        "рожд",
        "туған",
        "бастап",
        "дейін",
        "өтініш",
        "шарт",
        "акт",
        "бұзыл",
        "заң",
        "тіркел",
        "өтінім",
        "жылы туған",
        "бойынша",
        "аралығ",
    ])
});

#[derive(Clone, Copy, Debug)]
struct Dated {
    page: usize,
    start: usize,
    end: usize,
    date: NaiveDate,
    weight: f32,
    leave_start: u8,
}

/// A page of a document names some dozens of dates at most.
const MOST_DATES: usize = 200;
/// Bytes of a line of print.
const LONGEST_LINE: usize = 600;

/// A date at or below this weight is only mentioned.
const THRESHOLD: f32 = 1.0;

pub(super) fn find(
    pages: &[Page],
    tokens: &[Token],
    doc_type: Option<&DocType>,
    others_pages: &[usize],
) -> Option<(Found<NaiveDate>, DateKind)> {
    let mut dated = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        // The date of another person's paper in the same file dates nothing here.
        if others_pages.contains(&index) {
            continue;
        }
        let from = tokens.partition_point(|token| token.page < index);
        let to = tokens.partition_point(|token| token.page <= index);
        let tokens = &tokens[from..to];
        let text_begins = tokens.iter().find(|token| TEXT_STARTS.has(token)).map_or(usize::MAX, |token| token.start);
        let mut candidates = dates::find(&page.text);
        candidates.truncate(MOST_DATES);
        for candidate in &candidates {
            dated.push(weigh(page, index, candidate, &candidates, tokens, text_begins));
        }
    }
    let best = dated.iter().filter(|d| d.weight > THRESHOLD).fold(None::<Dated>, |best, next| match best {
        Some(known) if known.weight >= next.weight => Some(known),
        _ => Some(*next),
    });
    let show = |d: Dated| Found { value: d.date, quote: span_quote(pages, d.page, d.start, d.end) };
    if let Some(best) = best {
        return Some((show(best), DateKind::Issue));
    }
    if !doc_type.is_some_and(|doc_type| doc_type.dated_by_leave) {
        return None;
    }
    let start = dated.iter().filter(|d| d.leave_start > 0).fold(None::<Dated>, |best, next| match best {
        Some(known) if known.leave_start >= next.leave_start => Some(known),
        _ => Some(*next),
    })?;
    Some((show(start), DateKind::LeaveStart))
}

fn weigh(
    page: &Page,
    index: usize,
    candidate: &DateCandidate,
    all: &[DateCandidate],
    tokens: &[Token],
    text_begins: usize,
) -> Dated {
    let (start, end) = (candidate.span.start, candidate.span.end);
    let mut dated = Dated { page: index, start, end, date: candidate.date, weight: 0.0, leave_start: 0 };
    let (before, after) = (tokens.partition_point(|t| t.end <= start), tokens.partition_point(|t| t.start < end));
    let before: Vec<&Token> = tokens[before.saturating_sub(40)..before].iter().collect();
    let after: Vec<&Token> = tokens[after..].iter().take(6).collect();
    let line_start = page.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = page.text[end..].find('\n').map_or(page.text.len(), |at| end + at);

    dated.leave_start = leave_start(&page.text, candidate, all, &before, &after);
    let other = is_other(&before, &after, start, (line_start, line_end));
    let label = label_weight(&before, start);
    let from_to = in_period(&page.text, candidate, all, &before, &after);
    if label > 0.0 && !(from_to) {
        dated.weight = label;
    } else if other || from_to {
        dated.weight = -5.0;
    } else {
        dated.weight = alone(page, line_start..line_end, start..end, &before, all, text_begins);
        if dated.weight > 0.0 && is_stamp(&page.text, line_start, line_end) {
            dated.weight = -5.0;
        }
    }
    dated
}

/// Labels as folded words, with their weight.
static LABELS: LazyLock<Vec<(Vec<Vec<char>>, f32)>> = LazyLock::new(|| {
    let words = |label: &str| fold(label).split(' ').map(|word| word.chars().collect()).collect();
    ISSUE.iter().map(|(label, weight)| (words(label), *weight)).collect()
});

/// The heaviest label among the words right before.
fn label_weight(before: &[&Token], start: usize) -> f32 {
    // Nearest first, so a label's words stand turned round.
    let words: Vec<&Token> =
        before.iter().rev().take(14).filter(|t| t.is_word() && start - t.end < 160).copied().collect();
    let belongs_elsewhere = words.iter().take(3).any(|token| OTHER_BEFORE.has(token));
    let says = |at: usize, part: &[char]| {
        words.get(at).is_some_and(|t| match part.len() {
            4 if t.fold.len() >= 3 => distance(part, &t.fold, 2).is_some(),
            0..=4 => t.fold == part,
            5..=6 => t.fold.starts_with(part),
            // A misread letter in a long word: «выдачн».
            _ => prefix_distance(part, &t.fold, 2).is_some(),
        })
    };
    let mut weight = 0.0f32;
    for (label, value) in LABELS.iter() {
        let bare = label.len() == 1;
        // «дата» alone is the issue date only where nothing says of what.
        if bare && belongs_elsewhere {
            continue;
        }
        let reach = if bare { 2 } else { 6 };
        let hit = (0..words.len().min(reach))
            .any(|at| label.iter().rev().enumerate().all(|(offset, part)| says(at + offset, part)));
        if hit {
            weight = weight.max(*value);
        }
    }
    weight
}

fn is_other(before: &[&Token], after: &[&Token], start: usize, (line_start, line_end): (usize, usize)) -> bool {
    let near = before.iter().rev().filter(|t| t.is_word()).take(4);
    let left = near.into_iter().any(|t| {
        let reach = t.start >= line_start || start - t.end < 3;
        reach && OTHER_BEFORE.has(t)
    });
    // A line that begins with a capital says something else.
    let goes_on = |t: &&&Token| t.start < line_end || !t.capital();
    let right = after.iter().filter(|t| t.is_word()).take(2).take_while(goes_on).any(|t| OTHER_AFTER.has(t));
    left || right
}

/// Whether the date's own line, one of the two above or the one below it is of a registration stamp.
fn is_stamp(text: &str, line_start: usize, line_end: usize) -> bool {
    let above = text[..line_start].lines().rev().filter(|line| !line.trim().is_empty()).take(2);
    let around = above.chain(text[line_start..line_end].lines());
    let below = text[line_end..].lines().filter(|line| !line.trim().is_empty()).take(1);
    around.chain(below).any(|line| {
        // A stamp has short lines; a sentence about a registration is none.
        line.len() < LONGEST_LINE
            && line.split_whitespace().count() <= 5
            && fold(line)
                .split(|c: char| !is_word_sign(c))
                .any(|word| word == "вх" || STAMP.iter().any(|stem| word.starts_with(stem)))
    })
}

/// Beginnings of words on stamps, folded.
const STAMP: [&str; 8] = ["входящ", "вход", "кирис", "канцеляр", "кенсе", "получен", "архив", "распечат"];

/// «с … по …», «… бастап … дейін», «… – …».
fn in_period(
    text: &str,
    candidate: &DateCandidate,
    all: &[DateCandidate],
    before: &[&Token],
    after: &[&Token],
) -> bool {
    // Not the last letter of a number («№ 88-л/с 06 ноября»).
    let numbered = matches!(before, [.., slash, last] if slash.is('/') && slash.end == last.start);
    let preposition = !numbered && before.last().is_some_and(|t| ["с", "по", "до", "со"].iter().any(|w| t.folds_to(w)));
    let since = after.iter().take(3).any(|t| t.folds_to("бастап") || t.folds_to("дейин"));
    let joined = |from: usize, to: usize| {
        text.get(from..to).is_some_and(|between| {
            let marks = between.trim_matches(|c: char| c.is_whitespace() || c == '.' || c == 'г');
            matches!(marks, "–" | "—" | "-" | "‑")
        })
    };
    let dashed = all
        .iter()
        .any(|other| joined(other.span.end, candidate.span.start) || joined(candidate.span.end, other.span.start));
    preposition || since || dashed
}

static LEAVE: LazyLock<WordList<()>> =
    LazyLock::new(|| WordList::of(&["отпуск", "демалыс", "уход", "күтім", "декрет"]));

/// How much a date looks like the first day of a leave: «с X по Y», «X бастап», near words of a
/// leave. «Работает с 2019 года» has neither end nor leave.
fn leave_start(
    text: &str,
    candidate: &DateCandidate,
    all: &[DateCandidate],
    before: &[&Token],
    after: &[&Token],
) -> u8 {
    let from = before.last().is_some_and(|t| t.folds_to("с") || t.folds_to("со"));
    let since = after.iter().take(3).any(|t| t.folds_to("бастап"));
    if !from && !since {
        return 0;
    }
    let end = candidate.span.end;
    let ends = all.iter().find(|other| other.span.start >= end).is_some_and(|next| {
        let between = fold(&text[end..next.span.start]);
        between.len() < 60 && between.split_whitespace().any(|word| matches!(word, "по" | "до" | "бастап" | "–" | "—"))
    });
    let leave = |t: &Token| LEAVE.has(t);
    let led = before.iter().rev().filter(|t| t.is_word()).take(12).any(|t| leave(t));
    let followed = since && after.iter().filter(|t| t.is_word()).any(|t| leave(t));
    u8::from(ends) * 2 + u8::from(led || followed)
}

/// A date that stands by itself or beside a number or a town: above the text it heads the document,
/// below it is the day of signing. Inside the text it is only a line that happened to break there.
fn alone(
    page: &Page,
    line: Range<usize>,
    date: Range<usize>,
    before: &[&Token],
    all: &[DateCandidate],
    text_begins: usize,
) -> f32 {
    let (line_start, line_end, start, end) = (line.start, line.end, date.start, date.end);
    if line_end - line_start > LONGEST_LINE {
        return 0.0;
    }
    let rest = format!("{} {}", &page.text[line_start..start], &page.text[end..line_end]);
    let words: Vec<String> = rest
        .split(|c: char| !is_word_sign(c))
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1)
        .map(fold)
        .collect();
    let others = words.iter().filter(|word| !HEAD_WORDS.contains(&word.as_str())).count();
    let numbered = rest.contains('№') || rest.contains("N ");
    let single = all.iter().filter(|c| c.span.start >= line_start && c.span.end <= line_end).count() == 1;
    if text_begins < start {
        let above = page.text[..line_start].trim_end_matches([' ', '\t']);
        let parted =
            above.ends_with("\n\n") || above.trim_end().ends_with(['.', '_', ':', ';']) || signed_below(page, line_end);
        let placeholder = page.text.contains("20__");
        return if others == 0 && single && parted && !placeholder { 2.0 } else { 0.0 };
    }
    let from = before.last().is_some_and(|t| t.folds_to("от"));
    let weight = match others {
        0 => 3.0,
        1 => 2.5,
        2 if numbered && !from => 2.5,
        2..=5 if numbered => 1.5,
        _ => 0.0,
    };
    if weight > 0.0 && numbered { weight + 1.0 } else { weight }
}

/// Whether the next line begins with who signs.
fn signed_below(page: &Page, line_end: usize) -> bool {
    let next = page.text[line_end..].lines().find(|line| !line.trim().is_empty());
    let first = next.and_then(|line| line.split_whitespace().next()).map(fold);
    first.is_some_and(|word| SIGNERS.iter().any(|signer| word.starts_with(signer)))
}

/// Beginnings of the words before a signature, folded.
const SIGNERS: [&str; 9] =
    ["руковод", "директор", "врач", "дариге", "басшы", "начальник", "председат", "главн", "заведующ"];

/// Words that stand beside the date in a document's head.
const HEAD_WORDS: [&str; 21] = [
    "город",
    "исх",
    "исходящий",
    "приказ",
    "буйрык",
    "шыгыс",
    "каласы",
    "справка",
    "аныктама",
    "жк",
    "лс",
    "номер",
    "рег",
    "от",
    "жыл",
    "года",
    "уведомление",
    "распоряжение",
    "хабарлама",
    "заключение",
    "кол",
];

/// Words with which the text of a document begins.
static TEXT_STARTS: LazyLock<WordList<()>> = LazyLock::new(|| {
    WordList::of(&["приказываю", "бұйырамын", "дана", "выдан", "настоящ", "осы", "берілді", "подтвержда", "растаймыз"])
});
