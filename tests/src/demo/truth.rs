//! The known answers beside the documents, and what differs from them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::client::Run;

/// One line of truth.jsonl: a document, its applicant, what should come out.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    /// Name of the file in the folder.
    pub file: String,
    /// What the applicant wrote as the name.
    pub applicant_fio: String,
    /// What the run should say.
    pub expected: Expected,
}

/// The expected fields of a run. A check that is null or absent is not scored.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// `success` or `error`.
    pub status: String,
    /// Null where the status is `error`.
    pub verdict: Option<bool>,
    /// Each check by its name.
    #[serde(default)]
    pub checks: Option<BTreeMap<String, Option<bool>>>,
}

/// Reads truth.jsonl.
///
/// # Errors
/// Where a line is not such an object; the error names the line.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Sample>> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl"))?;
    parse(&text)
}

fn parse(text: &str) -> anyhow::Result<Vec<Sample>> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| serde_json::from_str(line).with_context(|| format!("line {} of truth.jsonl", number + 1)))
        .collect()
}

impl Expected {
    /// What of a finished run is not as expected; empty where all is.
    pub fn differences(&self, run: &Run) -> Vec<String> {
        let mut differences = Vec::new();
        if run.status != self.status {
            differences.push(format!("status is {}, expected {}", run.status, self.status));
        }
        if run.verdict != self.verdict {
            differences.push(format!("verdict is {}, expected {}", shown(run.verdict), shown(self.verdict)));
        }
        for (name, expected) in self.checks.iter().flatten() {
            let found = run.check(name);
            if expected.is_some() && found != *expected {
                differences.push(format!("{name} is {}, expected {}", shown(found), shown(*expected)));
            }
        }
        differences
    }
}

fn shown(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Run {
        serde_json::from_str(text).expect("a run")
    }

    const LINE: &str = r#"{"file": "a.pdf", "applicant_fio": "Иванов Иван", "case": "expired", "expected":
        {"status": "success", "verdict": false, "checks": {"fio_match": true, "doc_date_valid": null}}}"#;

    #[test]
    fn a_null_check_is_not_scored() {
        let sample: Sample = serde_json::from_str(LINE).expect("a sample");
        let same = run(
            r#"{"run_id": "r", "status": "success", "verdict": false, "checks": {"fio_match": true, "doc_date_valid": false}}"#,
        );
        assert_eq!(sample.expected.differences(&same), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named() {
        let sample: Sample = serde_json::from_str(LINE).expect("a sample");
        let other = run(r#"{"run_id": "r", "status": "error", "verdict": null, "checks": {"fio_match": null}}"#);
        assert_eq!(
            sample.expected.differences(&other),
            [
                "status is error, expected success",
                "verdict is null, expected false",
                "fio_match is null, expected true"
            ]
        );
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        let text = format!("{}\n\nnot json\n", LINE.replace('\n', " "));
        let error = parse(&text).expect_err("the third line is broken");
        assert_eq!(error.to_string(), "line 3 of truth.jsonl");
    }

    #[test]
    fn every_sample_of_the_repository_is_there_with_its_truth() {
        let folder = crate::services::checkout().join("tests/documents");
        let samples = read(&folder).expect("the truth can be read");
        assert_eq!(samples.len(), 12);
        for sample in samples {
            assert!(folder.join(&sample.file).is_file(), "{} is missing", sample.file);
        }
    }
}
