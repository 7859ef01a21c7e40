//! Answers about documents held against their labels.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::labels::{Answer, By, Expected, Label};
use super::{Count, letters_lost};

/// What of one document is right; none is not scored.
#[derive(Clone, Debug, Default)]
struct Marks {
    verdict: Option<bool>,
    false_accept: Option<bool>,
    false_reject: Option<bool>,
    fio_match: Option<bool>,
    doc_type_known: Option<bool>,
    doc_date_valid: Option<bool>,
    single_doc_type: Option<bool>,
    doc_type: Option<bool>,
    fio: Option<bool>,
    fio_either_spelling: Option<bool>,
    doc_date: Option<bool>,
    error_codes: Option<bool>,
    unreadable: Option<bool>,
    letters_lost: Option<f64>,
}

/// How often each thing is right, over some documents.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Score {
    /// Documents.
    pub documents: usize,
    /// Right verdicts.
    pub verdict: Count,
    /// Accepted, of those to refuse.
    pub false_accepts: Count,
    /// Not accepted, of those to accept.
    pub false_rejects: Count,
    /// The check.
    pub fio_match: Count,
    /// The check.
    pub doc_type_known: Count,
    /// The check.
    pub doc_date_valid: Count,
    /// The check.
    pub single_doc_type: Count,
    /// The known type.
    pub doc_type: Count,
    /// The name, letter for letter save for case and ё.
    pub fio: Count,
    /// The name, Russian or Kazakh.
    pub fio_either_spelling: Count,
    /// The date, or that there is none.
    pub doc_date: Count,
    /// All errors that are expected, and none where there are none.
    pub error_codes: Count,
    /// `error` where nothing can be read.
    pub unreadable: Count,
    /// Mean share of the true text's characters that the reading lost.
    pub letters_lost: Option<f64>,
    /// Documents whose true text is known.
    pub with_text: usize,
}

/// How pages were read, over all documents that say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// Documents with a page that was read from its text layer.
    pub layered_documents: usize,
    /// Documents without.
    pub pictures: usize,
    /// Page images that were read again by other means, of all page images.
    pub second_attempts: Count,
}

/// What a model was asked, over all documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Documents that it was asked about.
    pub documents: Count,
    /// Requests.
    pub calls: usize,
    /// Tokens of requests and answers.
    pub tokens: u64,
}

/// A document with something wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Wrong {
    /// Its name.
    pub file: String,
    /// What it is an example of, how it was taken, how hard it is.
    pub kind: String,
    /// What is wrong, each with what was expected and what was answered.
    pub what: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Labels without an answer: wrong in everything.
    pub unanswered: usize,
    /// Over all.
    pub all: Score,
    /// By difficulty, the easiest first.
    pub by_noise: Vec<(String, Score)>,
    /// By how it was taken.
    pub by_capture: Vec<(String, Score)>,
    /// By what it is an example of.
    pub by_case: Vec<(String, Score)>,
    /// By language.
    pub by_language: Vec<(String, Score)>,
    /// How pages were read.
    pub pages: Pages,
    /// What a model was asked; none where there was none.
    pub model: Option<Model>,
    /// By whom; empty where answers do not agree on it.
    #[serde(skip)]
    pub by: By,
    /// What went wrong.
    pub wrong: Vec<Wrong>,
}

/// Scores answers. `text` gives the true text of a document where it is known.
pub fn score(labels: &[Label], answers: &[Answer], text: impl Fn(&Label) -> Option<String>) -> Report {
    let by_file: HashMap<&str, &Answer> = answers.iter().map(|answer| (answer.file.as_str(), answer)).collect();
    let scored: Vec<(&Label, Option<&Answer>, Marks)> = labels
        .iter()
        .map(|label| {
            let answer = by_file.get(label.file.as_str()).copied();
            (label, answer, marks(label, answer, text(label).as_deref()))
        })
        .collect();
    let answered = || scored.iter().filter_map(|(_, answer, _)| *answer);
    let groups = |name: fn(&Label) -> &str| {
        let mut groups: BTreeMap<(usize, &str), Vec<&Marks>> = BTreeMap::new();
        for (label, _, marks) in &scored {
            let name = name(label);
            let place = ["clean", "medium", "hard"].iter().position(|known| *known == name);
            groups.entry((place.unwrap_or(usize::MAX), name)).or_default().push(marks);
        }
        let named = groups.into_iter().filter(|((_, name), _)| !name.is_empty());
        named.map(|((_, name), marks)| (name.to_owned(), total(marks))).collect()
    };
    Report {
        unanswered: scored.len() - answered().count(),
        all: total(scored.iter().map(|(_, _, marks)| marks)),
        by_noise: groups(|label| &label.noise),
        by_capture: groups(|label| &label.capture),
        by_case: groups(|label| &label.case),
        by_language: groups(|label| &label.language),
        pages: pages(answered()),
        model: model(answered()),
        by: by(answered()),
        wrong: scored.iter().filter_map(|(label, answer, marks)| wrong(label, *answer, marks)).collect(),
    }
}

fn marks(label: &Label, answer: Option<&Answer>, text: Option<&str>) -> Marks {
    let expected = &label.expected;
    let silent = Answer::default();
    let given = answer.unwrap_or(&silent);
    let mut marks = if expected.status == "error" {
        let failed = given.status.as_deref() == Some("error");
        Marks {
            verdict: Some(failed || given.verdict == Some(false)),
            unreadable: Some(failed),
            false_accept: Some(given.verdict == Some(true)),
            ..Marks::default()
        }
    } else {
        success(label, given)
    };
    if answer.is_none() {
        // Wrong in everything that is scored; nothing was accepted.
        for mark in [
            &mut marks.verdict,
            &mut marks.fio_match,
            &mut marks.doc_type_known,
            &mut marks.doc_date_valid,
            &mut marks.single_doc_type,
            &mut marks.doc_type,
            &mut marks.fio,
            &mut marks.fio_either_spelling,
            &mut marks.doc_date,
            &mut marks.error_codes,
            &mut marks.unreadable,
        ] {
            *mark = mark.map(|_| false);
        }
    }
    let read = given.text.as_deref().filter(|read| !read.is_empty());
    marks.letters_lost = text.zip(read).and_then(|(text, read)| letters_lost::share(text, read));
    marks
}

/// Of a document that can be judged.
fn success(label: &Label, given: &Answer) -> Marks {
    let expected = &label.expected;
    let empty = super::labels::Extracted::default();
    let extracted = given.extracted.as_ref().unwrap_or(&empty);
    let accepts = expected.verdict == Some(true);
    let check = |name: &str| {
        let wanted = expected.checks.get(name).copied().flatten()?;
        let held = given.checks.as_ref().and_then(|checks| checks.get(name).copied().flatten());
        Some((held == Some(true)) == wanted)
    };
    let name = |spellings: &[&String]| match spellings {
        [] => plain(extracted.fio.as_deref()).is_empty(),
        spellings => spellings.iter().any(|name| plain(Some(name)) == plain(extracted.fio.as_deref())),
    };
    // Of several documents in one file each has a name of its own.
    let one = label.case != "several-types";
    let either: Vec<&String> = match &expected.fio {
        Some(fio) => std::iter::once(fio).chain(&expected.fio_accept).collect(),
        None => Vec::new(),
    };
    let found = extracted.doc_date.as_deref().map(|date| date.get(..10).unwrap_or(date));
    let codes: BTreeSet<&str> = given.errors.iter().map(|error| error.code.as_str()).collect();
    Marks {
        verdict: Some(given.verdict == expected.verdict && given.status.as_deref().unwrap_or("success") == "success"),
        false_reject: accepts.then_some(given.verdict != Some(true)),
        false_accept: (!accepts).then_some(given.verdict == Some(true)),
        fio_match: check("fio_match"),
        doc_type_known: check("doc_type_known"),
        doc_date_valid: check("doc_date_valid"),
        single_doc_type: check("single_doc_type"),
        doc_type: expected.doc_type.as_ref().map(|title| extracted.doc_type.as_ref() == Some(title)),
        fio: one.then(|| name(either.get(..1).unwrap_or_default())),
        fio_either_spelling: one.then(|| name(&either)),
        doc_date: match expected.doc_date.as_deref() {
            Some(date) => Some(found == Some(date)),
            None if label.case == "missing-date" => Some(found.is_none()),
            None => None,
        },
        error_codes: Some(if expected.error_codes.is_empty() {
            codes.is_empty()
        } else {
            expected.error_codes.iter().all(|code| codes.contains(code.as_str()))
        }),
        ..Marks::default()
    }
}

/// A name without case, ё and runs of spaces.
fn plain(name: Option<&str>) -> String {
    let small = name.unwrap_or_default().to_lowercase().replace('ё', "е").replace('.', ". ");
    small.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn total<'a>(marks: impl IntoIterator<Item = &'a Marks>) -> Score {
    let mut score = Score::default();
    let mut lost = 0.0;
    for one in marks {
        score.documents += 1;
        score.verdict.add(one.verdict);
        score.false_accepts.add(one.false_accept);
        score.false_rejects.add(one.false_reject);
        score.fio_match.add(one.fio_match);
        score.doc_type_known.add(one.doc_type_known);
        score.doc_date_valid.add(one.doc_date_valid);
        score.single_doc_type.add(one.single_doc_type);
        score.doc_type.add(one.doc_type);
        score.fio.add(one.fio);
        score.fio_either_spelling.add(one.fio_either_spelling);
        score.doc_date.add(one.doc_date);
        score.error_codes.add(one.error_codes);
        score.unreadable.add(one.unreadable);
        lost += one.letters_lost.unwrap_or(0.0);
        score.with_text += usize::from(one.letters_lost.is_some());
    }
    score.letters_lost = (score.with_text > 0).then(|| lost / score.with_text as f64);
    score
}

fn pages<'a>(answers: impl Iterator<Item = &'a Answer>) -> Pages {
    let mut pages = Pages::default();
    for answer in answers {
        let Some(reading) = answer.reading else { continue };
        let layered = reading.text_layer > 0;
        pages.layered_documents += usize::from(layered);
        pages.pictures += usize::from(!layered);
        pages.second_attempts.of += answer.page_count.unwrap_or(0).saturating_sub(reading.text_layer);
        pages.second_attempts.hits += reading.second_attempts;
    }
    pages
}

fn model<'a>(answers: impl Iterator<Item = &'a Answer>) -> Option<Model> {
    let mut model = Model::default();
    for used in answers.filter_map(|answer| answer.llm) {
        model.documents.add(Some(used.calls > 0));
        model.calls += used.calls;
        model.tokens += used.tokens;
    }
    (model.documents.of > 0).then_some(model)
}

fn by<'a>(mut answers: impl Iterator<Item = &'a Answer>) -> By {
    let Some(first) = answers.next() else { return By::default() };
    if answers.all(|answer| answer.by == first.by) { first.by.clone() } else { By::default() }
}

/// What a person would look at: the verdict, and the fields that it rests on.
fn wrong(label: &Label, answer: Option<&Answer>, marks: &Marks) -> Option<Wrong> {
    let Expected { verdict, doc_type, fio, doc_date, .. } = &label.expected;
    let extracted = answer.and_then(|answer| answer.extracted.as_ref());
    let word = |text: Option<&String>| text.map_or_else(|| "none".to_owned(), ToString::to_string);
    let judged = |verdict: Option<bool>| verdict.map_or("none", |verdict| if verdict { "true" } else { "false" });
    let mut what = Vec::new();
    let mut tell = |name: &str, mark: Option<bool>, expected: String, answered: String| {
        if mark == Some(false) {
            what.push(format!("{name}: {answered}, expected {expected}"));
        }
    };
    let given = answer.and_then(|answer| answer.verdict);
    tell("verdict", marks.verdict, judged(*verdict).to_owned(), judged(given).to_owned());
    let found = |field: fn(&super::labels::Extracted) -> Option<&String>| word(extracted.and_then(field));
    tell("type", marks.doc_type, word(doc_type.as_ref()), found(|found| found.doc_type.as_ref()));
    tell("name", marks.fio_either_spelling, word(fio.as_ref()), found(|found| found.fio.as_ref()));
    tell("date", marks.doc_date, word(doc_date.as_ref()), found(|found| found.doc_date.as_ref()));
    let kind = [&label.case, &label.capture, &label.noise].map(String::as_str).join("/");
    (!what.is_empty()).then(|| Wrong { file: label.file.clone(), kind, what })
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
