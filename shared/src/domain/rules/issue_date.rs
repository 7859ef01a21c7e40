//! The issue date among birth dates, periods, appointments, other papers' dates and stamps of the
//! inbox; the leave's first day where a paper of parental leave has no issue date.

use chrono::NaiveDate;

use super::span_quote;
use super::tokens::Token;
use crate::domain::dates::{self, DateCandidate};
use crate::domain::doc_types::DocType;
use crate::domain::letters::fold;
use crate::domain::page::Page;
use crate::domain::run::{DateKind, Found};

/// Labels of the issue date, with their weight.
const ISSUE: &[(&str, f32)] = &[
    ("дата выдачи", 8.0), ("дата выписки", 6.0), ("дата составления", 6.0), ("дата формирования", 7.0), ("дата документа", 7.0), ("дата подписания", 5.0), ("дата оформления", 6.0), ("дата приказа", 7.0), ("дата справки", 7.0), ("дата уведомления", 6.0), ("дата заключения", 6.0),
    ("сформирован", 7.0), ("берілген күні", 8.0), ("берілген күн", 8.0), ("сұрау салынған күн", 7.0), ("құжаттың күні", 7.0), ("толтырылған күні", 6.0), ("жасалған күні", 5.0), ("бұйрық күні", 7.0), ("выдан", 4.0), ("выдана", 4.0), ("выдано", 4.0), ("берілді", 3.0), ("дата", 4.0), ("күні", 4.0), ("составлен", 4.0), ("қалыптастырылған", 6.0),
];

/// Words that make a date something else.
const OTHER_BEFORE: &[&str] = &[
    "рожд", "туған", "родив", "явк", "явит", "переосвидет", "освидетельств", "куәландыру", "вход", "вх", "кіріс", "срок", "мерзім", "действ", "закон", "заң", "кодекс", "утвержд", "бекіт", "договор", "шарт", "заявлен", "өтініш", "акт",
    "регистрац", "тіркел", "тіркеу", "поступ", "түскен", "шыққан", "установлен", "приём", "прием", "принят", "печат", "получен", "следующ", "келесі", "очередн", "начал", "окончан", "период", "кезең", "свидетельств", "решен", "протокол", "основан", "негізд", "расторгн", "увол", "босат", "открыт", "закрыт", "госпитал", "обращен", "постановлен", "қаулы", "министр", "действител", "жарамды", "ознакомл", "таныс", "трудов", "отпуск", "белгіленген",
];

const OTHER_AFTER: &[&str] = &["рожд", "туған", "бастап", "дейін", "өтініш", "шарт", "акт", "бұзыл", "заң", "тіркел", "өтінім", "жылы туған", "бойынша", "аралығ"];

#[derive(Clone, Copy, Debug)]
struct Dated {
    page: usize,
    start: usize,
    end: usize,
    date: NaiveDate,
    weight: f32,
    leave_start: bool,
}

/// A date at or below this weight is only mentioned.
const THRESHOLD: f32 = 1.0;

pub(super) fn find(
    pages: &[Page],
    tokens: &[Token],
    doc_type: Option<&DocType>,
) -> Option<(Found<NaiveDate>, DateKind)> {
    let mut dated = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let candidates = dates::find(&page.text);
        for candidate in &candidates {
            dated.push(weigh(page, index, candidate, &candidates, tokens));
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
    let start = dated.iter().find(|d| d.leave_start)?;
    Some((show(*start), DateKind::LeaveStart))
}

fn weigh(page: &Page, index: usize, candidate: &DateCandidate, all: &[DateCandidate], tokens: &[Token]) -> Dated {
    let (start, end) = (candidate.span.start, candidate.span.end);
    let mut dated = Dated { page: index, start, end, date: candidate.date, weight: 0.0, leave_start: false };
    let before: Vec<&Token> = tokens.iter().filter(|t| t.page == index && t.end <= start).collect();
    let after: Vec<&Token> = tokens.iter().filter(|t| t.page == index && t.start >= end).take(6).collect();
    let line_start = page.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = page.text[end..].find('\n').map_or(page.text.len(), |at| end + at);

    dated.leave_start = period(page, candidate, all, &before, &after);
    let other = is_other(&before, &after, start, line_start);
    let label = label_weight(&before, start);
    let from_to = in_period(&before, &after);
    if label > 0.0 && !(from_to) {
        dated.weight = label;
    } else if other || from_to {
        dated.weight = -5.0;
    } else {
        dated.weight = alone(page, line_start, start, end, line_end, &before);
    }
    dated
}

/// The heaviest label among the words right before.
fn label_weight(before: &[&Token], start: usize) -> f32 {
    let words: Vec<String> = before.iter().rev().take(14).filter(|t| t.is_word() && start - t.end < 160).map(|t| t.folded()).collect();
    let mut weight = 0.0f32;
    for (label, value) in ISSUE {
        let parts: Vec<String> = fold(label).split(' ').map(str::to_owned).collect();
        // Nearest first, so the label's words stand turned round.
        let reach = if parts.len() > 1 { 6 } else { 2 };
        let hit = (0..words.len().min(reach)).any(|at| {
            parts.iter().rev().enumerate().all(|(offset, part)| words.get(at + offset).is_some_and(|word| word.starts_with(part.as_str()) && (part.chars().count() > 4 || word == part)))
        });
        if hit {
            // «дата рождения», «туған күні», «күні» of something else.
            let bare = parts.len() == 1;
            if bare && words.iter().take(3).any(|w| OTHER_BEFORE.iter().any(|o| begins(w, o))) {
                continue;
            }
            weight = weight.max(*value);
        }
    }
    weight
}

fn is_other(before: &[&Token], after: &[&Token], start: usize, line_start: usize) -> bool {
    let near = before.iter().rev().filter(|t| t.is_word()).take(4);
    let left = near.into_iter().any(|t| {
        let reach = t.start >= line_start || start - t.end < 3;
        reach && OTHER_BEFORE.iter().any(|stem| begins(&t.folded(), stem))
    });
    let right = after.iter().filter(|t| t.is_word()).take(2).any(|t| OTHER_AFTER.iter().any(|stem| begins(&t.folded(), stem)));
    left || right
}

/// «с … по …», «… бастап … дейін», «… – …».
fn in_period(before: &[&Token], after: &[&Token]) -> bool {
    let last = before.last();
    let preposition = last.is_some_and(|t| ["с", "по", "до", "со", "к"].iter().any(|w| t.folds_to(w)));
    let dash = last.is_some_and(|t| t.is('–') || t.is('—') || t.is('-'));
    let word_after = after.iter().take(3).any(|t| t.folds_to("бастап") || t.folds_to("деиин"));
    let dash_after = after.first().is_some_and(|t| t.is('–') || t.is('—'));
    preposition || dash || word_after || dash_after
}

/// The first day of a leave: «с X по Y», «X бастап», near words of a leave.
fn period(page: &Page, candidate: &DateCandidate, all: &[DateCandidate], before: &[&Token], after: &[&Token]) -> bool {
    let from = before.last().is_some_and(|t| t.folds_to("с") || t.folds_to("со"));
    let since = after.iter().take(3).any(|t| t.folds_to("бастап"));
    if !from && !since {
        return false;
    }
    // «работает с 2019 года» has no end; the leave has one, or speaks of leave right there.
    let ends = all.iter().any(|other| other.span.start > candidate.span.end && other.span.start - candidate.span.end < 60);
    let context = before.iter().rev().filter(|t| t.is_word()).take(12).chain(after.iter().filter(|t| t.is_word()));
    let leave = context.into_iter().any(|t| ["отпуск", "демалыс", "уход", "кутим", "декрет"].iter().any(|stem| t.folded().starts_with(stem)));
    let _ = page;
    ends || leave
}

/// A date that stands by itself or beside a number or a town: high on the page it heads the
/// document, at the foot it is the day of signing.
fn alone(page: &Page, line_start: usize, start: usize, end: usize, line_end: usize, before: &[&Token]) -> f32 {
    let rest = format!("{} {}", &page.text[line_start..start], &page.text[end..line_end]);
    let words: Vec<String> = rest
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1)
        .map(fold)
        .collect();
    let allowed = |word: &String| {
        ["город", "исх", "исходящий", "приказ", "буирык", "шыгыс", "каласы", "справка", "аныктама", "жк", "лс", "номер", "рег", "от", "жыл", "года", "уведомление", "распоряжение"].contains(&word.as_str())
    };
    let lower = words.iter().filter(|w| !allowed(w)).count();
    let first_word_is_number = page.text[line_start..start].contains('№') || page.text[end..line_end].contains('№');
    let preceded_by_from = before.last().is_some_and(|t| t.folds_to("от"));
    let position = page.text[..start].lines().count();
    let high = position < 40;
    let mut weight: f32 = match lower {
        0 => 3.0,
        1 | 2 if first_word_is_number && !preceded_by_from || lower == 1 => 2.5,
        3..=5 if first_word_is_number => 1.5,
        _ => 0.0,
    };
    if weight > 0.0 && first_word_is_number {
        weight += 1.0;
    }
    if !high && weight > 0.0 {
        weight -= 0.5;
    }
    weight
}

/// Stems of up to three letters are whole words.
fn begins(word: &str, stem: &str) -> bool {
    let stem = fold(stem);
    if stem.chars().count() <= 3 { word == stem } else { word.starts_with(&stem) }
}
