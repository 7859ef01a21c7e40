//! Scores in words: Markdown, as it stands in the README, and what only a terminal shows.

use super::documents::{self, Score};
use super::{Count, pairs};

/// A table of Markdown.
fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let rule = format!("|{}\n", "---|".repeat(heads.len()));
    line(&heads) + &rule + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// `97.2 %`, `100 %`, and a dash where there is nothing.
fn percent(share: Option<f64>) -> String {
    let Some(share) = share else { return "–".to_owned() };
    let tenths = (share * 1_000.0).round() / 10.0;
    // All but one is not all.
    let tenths = if share < 1.0 { tenths.min(99.9) } else { tenths };
    if tenths.fract() == 0.0 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

fn of(count: Count) -> String {
    format!("{} of {}", count.hits, count.of)
}

/// `1,470`.
fn number(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

/// The part of the README about documents. `when` says when and of which commit.
pub fn documents(report: &documents::Report, when: &str) -> String {
    let by = &report.by;
    let mut how = vec![when.to_owned()];
    how.extend(by.analyzer.iter().map(|name| format!("analysed by `{name}`")));
    how.extend(by.ocr_engine.iter().map(|name| format!("read by `{name}`")));
    how.extend(by.as_of.iter().map(|day| format!("as of {day}")));
    let mut text = format!("On {} labelled documents ({}).", number(report.all.documents), how.join(", "));
    let pages = report.pages;
    if pages.layered_documents + pages.pictures > 0 {
        let again = pages.second_attempts;
        text += &format!(
            "\n{} have a text layer, {} are pictures; of {} page images {} needed a second attempt.",
            pages.layered_documents, pages.pictures, again.of, again.hits
        );
    }
    if let Some(model) = report.model {
        text += &format!(
            "\nThe model was asked about {}, in {} calls of {} tokens together.",
            of(model.documents),
            model.calls,
            model.tokens
        );
    }
    text += "\n\n";
    let all = [("all".to_owned(), report.all)];
    text += &verdicts("captures", report.by_noise.iter().chain(&all));
    text += "\n";
    let found = [
        ("type", report.all.doc_type),
        ("several types in one file, or one", report.all.single_doc_type),
        ("name in the nominative, either spelling", report.all.fio_either_spelling),
        ("date", report.all.doc_date),
    ];
    let mut rows: Vec<Vec<String>> = found.map(|(what, count)| vec![what.to_owned(), of(count)]).to_vec();
    if report.all.letters_lost.is_some() {
        rows.push(vec!["characters of the text that are wrong".to_owned(), percent(report.all.letters_lost)]);
    }
    text + &table(&["found in what is readable", "right"], &rows)
}

fn verdicts<'a>(what: &str, rows: impl IntoIterator<Item = &'a (String, Score)>) -> String {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, score)| {
            let (accepts, rejects) = (of(score.false_accepts), of(score.false_rejects));
            vec![name.clone(), number(score.documents), percent(score.verdict.share()), accepts, rejects]
        })
        .collect();
    table(&[what, "documents", "verdict right", "false accepts", "false rejects"], &rows)
}

/// More about documents, for whoever changes the rules.
pub fn more_of_documents(report: &documents::Report) -> String {
    let all = report.all;
    let checks = [
        ("fio_match", all.fio_match),
        ("doc_type_known", all.doc_type_known),
        ("doc_date_valid", all.doc_date_valid),
        ("single_doc_type", all.single_doc_type),
        ("name as the document spells it", all.fio),
        ("error codes", all.error_codes),
        ("status error where nothing can be read", all.unreadable),
    ];
    let mut text = table(&["more", "right"], &checks.map(|(what, count)| vec![what.to_owned(), of(count)]));
    for (what, groups) in
        [("taken as", &report.by_capture), ("case", &report.by_case), ("language", &report.by_language)]
    {
        if !groups.is_empty() {
            text += &format!("\n{}", verdicts(what, groups));
        }
    }
    if report.unanswered > 0 {
        text += &format!("\nWithout an answer, and wrong in everything: {}\n", report.unanswered);
    }
    for wrong in &report.wrong {
        text += &format!("\n{} ({}): {}", wrong.file, wrong.kind, wrong.what.join("; "));
    }
    text
}

/// The part of the README about pairs of names.
pub fn names(report: &pairs::Report, when: &str) -> String {
    let (accepts, rejects) = (report.false_accepts, report.false_rejects);
    let side = |pairs: &str, count: Count, word: &str| {
        let at_most = percent_fine(count.interval().1);
        let told = format!("{} {word}, {}; at most {at_most} at 95 % certainty", count.hits, percent(count.share()));
        vec![format!("{} of {pairs}", number(count.of)), told]
    };
    let rows = [side("different persons", accepts, "accepted"), side("one person", rejects, "refused")];
    let pairs = number(accepts.of + rejects.of);
    format!("On {pairs} labelled pairs of names ({when}):\n\n{}", table(&["pairs", "wrong"], &rows))
}

fn percent_fine(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// More about pairs, for whoever changes the comparison.
pub fn more_of_names(report: &pairs::Report) -> String {
    let row = |kind: &pairs::Kind| {
        let persons = if kind.same { "one person" } else { "different persons" };
        vec![kind.kind.clone(), persons.to_owned(), of(kind.wrong)]
    };
    let rows: Vec<Vec<String>> = report.kinds.iter().map(row).collect();
    let mut text = table(&["kind", "are", "wrong"], &rows);
    text += &format!("\nNot scored, since nobody can tell: {}", report.not_scored);
    if report.unanswered > 0 {
        text += &format!("\nWithout an answer, and taken for refused: {}", report.unanswered);
    }
    for wrong in &report.wrong {
        text += &format!("\n{} ({}): {} | {}", wrong.id, wrong.kind, wrong.names[0], wrong.names[1]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_with_the_digits_that_matter() {
        let told = [Some(1.0), Some(35.0 / 36.0), Some(0.0), Some(0.9999), None].map(percent);
        assert_eq!(told, ["100 %", "97.2 %", "0 %", "99.9 %", "–"]);
        assert_eq!([0, 999, 1470, 1_234_567].map(number), ["0", "999", "1,470", "1,234,567"]);
    }

    #[test]
    fn the_part_about_names_says_how_sure_it_is() {
        let report = pairs::Report {
            false_accepts: Count { hits: 0, of: 735 },
            false_rejects: Count { hits: 8, of: 735 },
            ..pairs::Report::default()
        };
        let expected = "On 1,470 labelled pairs of names (2026-11-25, commit abc):\n\n| pairs | wrong |\n|---|---|\n\
                        | 735 of different persons | 0 accepted, 0 %; at most 0.52 % at 95 % certainty |\n\
                        | 735 of one person | 8 refused, 1.1 %; at most 2.13 % at 95 % certainty |\n";
        assert_eq!(names(&report, "2026-11-25, commit abc"), expected);
    }

    #[test]
    fn the_part_about_documents_says_by_whom_and_leaves_out_what_is_not_known() {
        let labels = r#"{"file": "a", "noise": "hard", "expected": {"status": "success", "verdict": true}}"#;
        let answer = r#"{"file": "a", "verdict": true, "analyzer": "rules", "as_of": "2026-11-22"}"#;
        let labels = crate::scoring::labels::lines(labels).expect("a label");
        let answers = crate::scoring::labels::lines(answer).expect("an answer");
        let text = documents(&documents::score(&labels, &answers, |_| None), "2026-11-25");
        let expected = "On 1 labelled documents (2026-11-25, analysed by `rules`, as of 2026-11-22).\n\n\
                        | captures | documents | verdict right | false accepts | false rejects |\n|---|---|---|---|---|\n\
                        | hard | 1 | 100 % | 0 of 0 | 0 of 1 |\n| all | 1 | 100 % | 0 of 0 | 0 of 1 |\n\n\
                        | found in what is readable | right |\n|---|---|\n| type | 0 of 0 |\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(!text.contains("characters"), "{text}");
    }
}
