//! The table at the end.

use super::client::Run;
use super::truth::Sample;

const CHECKS: [&str; 4] = ["fio_match", "doc_type_known", "doc_date_valid", "single_doc_type"];

/// How one document came out.
#[derive(Debug)]
pub struct Outcome {
    /// The document and what was expected.
    pub sample: Sample,
    /// The finished run, or why there is none.
    pub run: Result<Run, String>,
}

impl Outcome {
    /// What is not as expected; empty where all is.
    pub fn differences(&self) -> Vec<String> {
        match &self.run {
            Ok(run) => self.sample.expected.differences(run),
            Err(reason) => vec![reason.clone()],
        }
    }

    fn cells(&self) -> [String; 8] {
        let mark = if self.differences().is_empty() { "✓" } else { "✗" };
        let file = self.sample.file.clone();
        let Ok(run) = &self.run else {
            return [mark.to_owned(), file, "none".to_owned()]
                .into_iter()
                .chain(std::iter::repeat(String::new()))
                .take(8)
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_default();
        };
        let found = run.extracted.clone().unwrap_or_default();
        let seconds = run.timings.as_ref().and_then(|timings| timings.duration_seconds);
        [
            mark.to_owned(),
            file,
            verdict(run),
            failed_checks(run),
            found.fio.unwrap_or_else(|| "–".to_owned()),
            found.doc_date.unwrap_or_else(|| "–".to_owned()),
            shortened(&found.doc_type.unwrap_or_else(|| "–".to_owned()), 44),
            seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.1}")),
        ]
    }
}

/// The whole report: the table, then what differs. `columns` are the terminal's, where there is one.
pub fn report(outcomes: &[Outcome], columns: Option<usize>) -> String {
    let head = ["", "file", "verdict", "failed checks", "name", "date", "type", "seconds"].map(str::to_owned);
    let mut rows: Vec<[String; 8]> = std::iter::once(head).chain(outcomes.iter().map(Outcome::cells)).collect();
    if let Some(columns) = columns {
        narrow(&mut rows, columns);
    }
    let mut text = table(&rows);
    let wrong: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.differences().is_empty()).collect();
    text.push_str(&format!("\n{} of {} came out as expected.\n", outcomes.len() - wrong.len(), outcomes.len()));
    for outcome in wrong {
        text.push_str(&format!("  {}: {}\n", outcome.sample.file, outcome.differences().join("; ")));
    }
    text
}

fn verdict(run: &Run) -> String {
    match run.verdict {
        Some(true) => "valid".to_owned(),
        Some(false) => "not valid".to_owned(),
        None => run.error_code.clone().unwrap_or_else(|| run.status.clone()),
    }
}

fn failed_checks(run: &Run) -> String {
    let failed: Vec<&str> = CHECKS.into_iter().filter(|name| run.check(name) == Some(false)).collect();
    if failed.is_empty() { "–".to_owned() } else { failed.join(", ") }
}

fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// Two spaces between each two columns.
const GAPS: usize = 14;

fn widths(rows: &[[String; 8]]) -> [usize; 8] {
    std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
}

/// Shortens what is longest and least needed, each to a length that still says something, until the table fits.
/// A terminal that is narrower still breaks the lines itself.
fn narrow(rows: &mut [[String; 8]], columns: usize) {
    for (column, least) in [(6, 12), (3, 14), (4, 14), (1, 12)] {
        let widths = widths(rows);
        let excess = (widths.iter().sum::<usize>() + GAPS).saturating_sub(columns);
        let limit = widths[column].saturating_sub(excess).max(least);
        for row in rows.iter_mut() {
            row[column] = shortened(&row[column], limit);
        }
    }
}

fn table(rows: &[[String; 8]]) -> String {
    let widths = widths(rows);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if number == 0 {
            text.push_str(&"─".repeat(widths.iter().sum::<usize>() + GAPS));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(run: &str) -> Outcome {
        let sample = r#"{"file": "a.pdf", "applicant_fio": "И И", "expected": {"status": "success", "verdict": false,
            "checks": {"fio_match": false}}}"#;
        Outcome {
            sample: serde_json::from_str(sample).expect("a sample"),
            run: Ok(serde_json::from_str(run).expect("a run")),
        }
    }

    #[test]
    fn the_table_names_what_failed_and_what_was_found() {
        let right = outcome(
            r#"{"run_id": "r", "status": "success", "verdict": false, "checks": {"fio_match": false, "doc_type_known": true},
            "extracted": {"fio": "Иванов Иван", "doc_date": "2026-11-01", "doc_type": "Справка об инвалидности"},
            "timings": {"duration_seconds": 1.26}}"#,
        );
        let text = report(&[right], None);
        let row = text.lines().nth(2).expect("a row");
        assert_eq!(row, "✓  a.pdf  not valid  fio_match      Иванов Иван  2026-11-01  Справка об инвалидности  1.3");
        assert!(text.ends_with("1 of 1 came out as expected.\n"));
    }

    #[test]
    fn a_run_that_did_not_finish_is_not_as_expected() {
        let mut lost = outcome(r#"{"run_id": "r", "status": "success", "verdict": false}"#);
        lost.run = Err("refused".to_owned());
        assert!(report(&[lost], Some(80)).contains("0 of 1 came out as expected.\n  a.pdf: refused"));
    }
    #[test]
    fn a_narrow_terminal_gets_a_table_that_fits_with_every_column_in_it() {
        let run = r#"{"run_id": "r", "status": "success", "verdict": false,
            "checks": {"fio_match": false, "doc_date_valid": false, "single_doc_type": false},
            "extracted": {"fio": "Константинопольская Александра", "doc_date": "2026-11-01",
                          "doc_type": "Справка о регистрации в качестве безработного"},
            "timings": {"duration_seconds": 1.26}}"#;
        let longest = |columns| report(&[outcome(run)], columns).lines().map(|line| line.chars().count()).max();
        assert!(longest(None) > Some(120));
        assert_eq!((longest(Some(120)), longest(Some(100))), (Some(120), Some(100)));
        let text = report(&[outcome(run)], Some(100));
        for found in ["fio_match, ", "Константинополь", "2026-11-01", "Справка о", "1.3"] {
            assert!(text.contains(found), "{found} is missing in {text}");
        }
    }
}
