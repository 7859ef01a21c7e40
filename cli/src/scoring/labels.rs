//! The labels of documents, and what was answered: one JSON object a line each.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What is known of a document.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    /// Its name in the folder.
    pub file: String,
    /// What it is an example of: `valid`, `wrong-person` and so on.
    #[serde(default)]
    pub case: String,
    /// How it was taken: `scan`, `photo` and so on.
    #[serde(default)]
    pub capture: String,
    /// How hard it is to read: `clean`, `medium`, `hard`.
    #[serde(default)]
    pub noise: String,
    /// `ru`, `kz`, `both`.
    #[serde(default)]
    pub language: String,
    /// The file of its true text, beside the labels.
    #[serde(default)]
    pub truth_text: Option<String>,
    /// What should come out.
    pub expected: Expected,
}

/// What should come out of a document. What is null is not scored, save where there is nothing to find.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    /// `success` or `error`.
    pub status: String,
    /// Null where the status is `error`.
    pub verdict: Option<bool>,
    /// Each check by its name.
    #[serde(default)]
    pub checks: BTreeMap<String, Option<bool>>,
    /// A known title.
    #[serde(default)]
    pub doc_type: Option<String>,
    /// In the nominative.
    #[serde(default)]
    pub fio: Option<String>,
    /// Other spellings of it.
    #[serde(default)]
    pub fio_accept: Vec<String>,
    /// As `2026-11-22`.
    #[serde(default)]
    pub doc_date: Option<String>,
    /// Those that must be among the errors.
    #[serde(default)]
    pub error_codes: Vec<String>,
}

/// The fields of a run that are scored, with the file's name.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Answer {
    /// As in the labels.
    pub file: String,
    /// `success` where it does not say.
    #[serde(default)]
    pub status: Option<String>,
    /// The verdict.
    #[serde(default)]
    pub verdict: Option<bool>,
    /// Each check by its name.
    #[serde(default)]
    pub checks: Option<BTreeMap<String, Option<bool>>>,
    /// What was found.
    #[serde(default)]
    pub extracted: Option<Extracted>,
    /// Why not.
    #[serde(default)]
    pub errors: Vec<CodeOf>,
    /// What was read.
    #[serde(default)]
    pub text: Option<String>,
    /// Pages of the file.
    #[serde(default)]
    pub page_count: Option<usize>,
    /// How they were read.
    #[serde(default)]
    pub reading: Option<Reading>,
    /// What the model took.
    #[serde(default)]
    pub llm: Option<ModelUse>,
    /// Which analyser and OCR it was, and the day that stood for today.
    #[serde(flatten)]
    pub by: By,
}

/// What was found.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Extracted {
    /// In the nominative.
    #[serde(default)]
    pub fio: Option<String>,
    /// As `2026-11-22`.
    #[serde(default)]
    pub doc_date: Option<String>,
    /// A known title.
    #[serde(default)]
    pub doc_type: Option<String>,
}

/// An error of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct CodeOf {
    /// Its code.
    pub code: String,
}

/// How pages were read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Reading {
    /// Pages whose text layer was used.
    #[serde(default)]
    pub text_layer: usize,
    /// Page images that were read by other means once more.
    #[serde(default)]
    pub second_attempts: usize,
}

/// What the model took for a document.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct ModelUse {
    /// Requests.
    #[serde(default)]
    pub calls: usize,
    /// Tokens of requests and answers.
    #[serde(default)]
    pub tokens: u64,
}

/// By whom and as of when the answers were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct By {
    /// `rules`, `llm`, `both`, `cascade`.
    #[serde(default)]
    pub analyzer: Option<String>,
    /// `tesseract`, `http`.
    #[serde(default)]
    pub ocr_engine: Option<String>,
    /// The day that stood for today.
    #[serde(default)]
    pub as_of: Option<String>,
}

/// One value of each line that is not empty.
///
/// # Errors
/// A line is not understood; the error names it.
pub fn lines<T: DeserializeOwned>(text: &str) -> anyhow::Result<Vec<T>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is not understood", number + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_label_is_named_by_its_number() {
        let good = r#"{"file": "a.pdf", "expected": {"status": "error", "verdict": null}}"#;
        assert_eq!(lines::<Label>(&format!("{good}\n\n{good}\n")).expect("good").len(), 2);
        let said = lines::<Label>(&format!("{good}\n\n{{}}\n")).expect_err("the third is none").to_string();
        assert_eq!(said, "line 3 is not understood");
    }

    #[test]
    fn an_answer_may_be_as_short_as_its_file() {
        let answer: Vec<Answer> = lines(r#"{"file": "a.pdf", "checks": null, "extracted": null}"#).expect("enough");
        assert_eq!((answer[0].verdict, answer[0].page_count), (None, None));
    }
}
