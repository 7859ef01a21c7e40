//! Answers about pairs of names held against their labels.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::Count;

/// A pair that a person has judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its id.
    pub id: String,
    /// Name of the applicant and name in the document.
    pub names: [String; 2],
    /// Whether they name one person; none where nobody can tell.
    pub same: Option<bool>,
    /// What makes it hard.
    pub kind: String,
}

/// One kind of pair.
#[derive(Clone, Debug, Serialize)]
pub struct Kind {
    /// What makes it hard.
    pub kind: String,
    /// Whether such pairs name one person.
    pub same: bool,
    /// Wrong of all.
    pub wrong: Count,
}

/// A pair that was judged wrongly.
#[derive(Clone, Debug, Serialize)]
pub struct Wrong {
    /// Its id.
    pub id: String,
    /// What makes it hard.
    pub kind: String,
    /// Name of the applicant and name in the document.
    pub names: [String; 2],
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Pairs about which a person cannot tell.
    pub not_scored: usize,
    /// Pairs without an answer: they count as refused.
    pub unanswered: usize,
    /// Different persons taken for one.
    pub false_accepts: Count,
    /// One person taken for two.
    pub false_rejects: Count,
    /// By what makes them hard, the worst first.
    pub kinds: Vec<Kind>,
    /// What went wrong.
    pub wrong: Vec<Wrong>,
}

/// Pairs from lines of id, two names, `1` or `0` or anything else, and a kind, tab between. A first line whose
/// first column is `id` is a heading. Names are taken as they stand.
///
/// # Errors
/// A line has no label.
pub fn read(text: &str) -> anyhow::Result<Vec<Pair>> {
    columns(text)
        .map(|(number, columns)| {
            let [id, applicant, document, same, rest @ ..] = &columns[..] else {
                bail!("line {number} has no label in its fourth column");
            };
            let kind = rest.first().copied().unwrap_or_default();
            let same = match *same {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            };
            let same = same.filter(|_| kind != "ambiguous");
            let names = [applicant, document].map(|name| (*name).to_owned());
            Ok(Pair { id: (*id).to_owned(), names, same, kind: kind.to_owned() })
        })
        .collect()
}

/// Answers from lines of id and 0 or 1, tab between; what follows is left alone.
///
/// # Errors
/// A line says neither, or a pair is answered twice.
pub fn answers(text: &str) -> anyhow::Result<HashMap<String, bool>> {
    let mut answers = HashMap::new();
    for (number, columns) in columns(text) {
        let same = match columns.get(1).map(|answer| answer.trim()) {
            Some("1" | "true") => true,
            Some("0" | "false") => false,
            _ => bail!("line {number} has neither 0 nor 1 in its second column"),
        };
        let id = columns.first().copied().context("a line has a first column")?;
        if answers.insert(id.to_owned(), same).is_some() {
            bail!("{id} is answered twice, in line {number} again");
        }
    }
    Ok(answers)
}

/// The columns of each line with its number, without a heading.
fn columns(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).zip(1..);
    let filled = lines.filter(|(line, _)| !line.trim().is_empty());
    let columns = filled.map(|(line, number)| (number, line.split('\t').collect::<Vec<_>>()));
    columns.filter(|(number, columns)| *number != 1 || columns[0] != "id")
}

/// Scores answers.
pub fn score(pairs: &[Pair], answers: &HashMap<String, bool>) -> Report {
    let mut report = Report::default();
    let mut kinds: BTreeMap<(bool, &str), Count> = BTreeMap::new();
    for pair in pairs {
        let Some(same) = pair.same else {
            report.not_scored += 1;
            continue;
        };
        let answer = answers.get(&pair.id).copied();
        report.unanswered += usize::from(answer.is_none());
        let wrong = answer.unwrap_or(false) != same;
        let side = if same { &mut report.false_rejects } else { &mut report.false_accepts };
        side.add(Some(wrong));
        kinds.entry((same, &pair.kind)).or_default().add(Some(wrong));
        if wrong {
            let (id, kind, names) = (pair.id.clone(), pair.kind.clone(), pair.names.clone());
            report.wrong.push(Wrong { id, kind, names });
        }
    }
    report.kinds = kinds.into_iter().map(|((same, kind), wrong)| Kind { kind: kind.to_owned(), same, wrong }).collect();
    let share = |kind: &Kind| kind.wrong.share().unwrap_or(0.0);
    report.kinds.sort_by(|one, other| one.same.cmp(&other.same).then(share(other).total_cmp(&share(one))));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: &str = "id\tapp_fio\tdoc_fio\tsame_person\tkind\tnote\n\
                         a\tКим Ли\tКим Л.\t1\tinitials\t\r\n\
                         b\tКим Ли\tКан Ли\t0\tsurname\n\
                         c\t\u{a0}Ким Ли\tКим\t1\tambiguous\n\
                         d\tКим Ли\tКимом Ли\t1\tcase\n";

    fn scored(answers: &str) -> Report {
        score(&read(PAIRS).expect("pairs"), &super::answers(answers).expect("answers"))
    }

    #[test]
    fn right_and_wrong_are_counted_on_their_sides() {
        let report = scored("id\tsame\na\t1\t0.9\tsame\nb\t1\nd\t0\n");
        assert_eq!((report.false_accepts, report.false_rejects), (Count { hits: 1, of: 1 }, Count { hits: 1, of: 2 }));
        assert_eq!((report.not_scored, report.unanswered), (1, 0));
        let kinds: Vec<(&str, usize)> = report.kinds.iter().map(|kind| (kind.kind.as_str(), kind.wrong.hits)).collect();
        assert_eq!(kinds, [("surname", 1), ("case", 1), ("initials", 0)]);
        assert_eq!(report.wrong.iter().map(|wrong| wrong.id.as_str()).collect::<Vec<_>>(), ["b", "d"]);
    }

    #[test]
    fn a_pair_without_an_answer_is_refused() {
        let report = scored("a\t1\n");
        assert_eq!((report.unanswered, report.false_accepts.hits, report.false_rejects.hits), (2, 0, 1));
    }

    #[test]
    fn names_keep_the_spaces_that_they_have() {
        let pairs = read(PAIRS).expect("pairs");
        assert_eq!((pairs[2].names[0].as_str(), pairs[2].same), ("\u{a0}Ким Ли", None));
        assert_eq!(pairs[0].kind, "initials");
    }

    #[test]
    fn what_is_no_label_or_answer_is_named_by_its_line() {
        let said = |error: anyhow::Error| error.to_string();
        assert!(said(read("a\tКим Ли\tКим Л.\n").expect_err("no label")).contains("line 1"));
        assert!(said(answers("a\t1\nb\tmaybe\n").expect_err("no answer")).contains("line 2"));
        assert!(said(answers("a\t1\na\t1\n").expect_err("twice")).contains("a is answered twice"));
    }
}
