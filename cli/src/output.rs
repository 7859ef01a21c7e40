//! What a command prints: one JSON value with `--json`, else text for people.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

/// Prints an answer on stdout. A reader that has seen enough, as `head` has, may close it.
pub fn show(json: bool, value: &impl Serialize, text: impl FnOnce() -> String) {
    let answer = if json { serde_json::to_string(value).expect("an answer is JSON") } else { text() };
    match writeln!(std::io::stdout(), "{answer}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => panic!("stdout cannot be written: {error}"),
        _ => {}
    }
}

/// Tells a person something beside the answer: on stderr with `json`, where stdout is for a program.
pub fn tell(json: bool, text: &str) {
    let _ = if json { writeln!(std::io::stderr(), "{text}") } else { writeln!(std::io::stdout(), "{text}") };
}

/// A failure that ends with a status of its own, so that a script can tell it from others.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct Status {
    /// What the process ends with.
    pub status: u8,
    said: String,
}

impl Status {
    /// Ends with this status, and says why.
    pub fn new(status: u8, said: impl Into<String>) -> Self {
        Self { status, said: said.into() }
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

/// The members of a JSON object, one a line; those that are null are left out.
pub fn lines(value: &Value) -> String {
    let line = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{name:<16}{text}")),
        other => Some(format!("{name:<16}{other}")),
    };
    value.as_object().into_iter().flatten().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// Seconds in the largest unit that fits.
pub fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0}s"),
        s if s < 7200.0 => format!("{:.0}m", s / 60.0),
        s if s < 172_800.0 => format!("{:.0}h", s / 3600.0),
        s => format!("{:.0}d", s / 86_400.0),
    }
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

    #[test]
    fn an_object_is_shown_without_what_is_null() {
        let value = serde_json::json!({ "state": "waiting", "attempts": 2, "lease_owner": null });
        assert_eq!(lines(&value), "attempts        2\nstate           waiting");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        assert_eq!([59.6, 119.0, 121.0, 7300.0, 200_000.0].map(span), ["60s", "119s", "2m", "2h", "2d"]);
    }
}
