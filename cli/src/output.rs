//! What a command prints: one JSON value with `--json`, else text for people.

use serde::Serialize;

/// Prints an answer on stdout.
#[expect(clippy::print_stdout, reason = "the answer of a command")]
pub fn show(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) {
    if json {
        println!("{}", serde_json::to_string(value).expect("an answer is JSON"));
    } else {
        println!("{}", text());
    }
}

/// Why a command failed, from the whole to the cause; what a part has said already is not said again.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

/// Lines with their columns beneath each other.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    std::iter::once(line(&heads)).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_named_again() {
        let error = anyhow::anyhow!("refused").context("no connection: refused").context("the api cannot be reached");
        assert_eq!(sentence(&error), "the api cannot be reached: no connection: refused");
    }

    #[test]
    fn columns_stand_beneath_each_other() {
        let rows = [vec!["банк".to_owned(), "x".to_owned()], vec!["a".to_owned(), "yy".to_owned()]];
        assert_eq!(table(&["name", "key"], &rows), "name  key\nбанк  x\na     yy");
    }
}
