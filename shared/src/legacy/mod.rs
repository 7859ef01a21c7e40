//! The run folders of the system before this one: what stands in them, read and written. Pure: bytes in, a run out,
//! or why there is none. Who opens the files is `rb-ocr import`.
//!
//! Two forms, of several vintages: `nested` (`meta/`, `ocr/`, `llm/`, `input/`) and `flat` (`00_input.pdf`,
//! `01_ocr.json` … `04_final.json`). Nothing in them is trusted: any file may be cut off, of the wrong shape, huge or
//! somebody else's. What cannot be understood without a guess is [`Unreadable`], with a reason that names files and
//! keys and never a value, since values are people's.

mod codes;
mod compared;
mod dates;
mod flat;
mod folder;
mod ids;
mod json;
mod names;
mod nested;
mod run;
#[cfg(test)]
mod tests;
mod written;

pub use compared::{Side, differences};
pub use folder::{Contents, Form, Part};
pub use run::{LegacyEnd, LegacyPage, LegacyRun, LegacyVerdict};
pub use written::{document_name, files, folder_day, folder_day_of};

use chrono::{DateTime, Utc};

/// Why a folder gives no run. Names files and keys, never what stands there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Neither its name nor its files say which run it is.
    #[error("neither the folder's name nor its files hold a run's id")]
    NoRunId,
    /// Its files belong to several runs.
    #[error("its files name different runs")]
    SeveralRuns,
    /// A file that every whole folder has is missing.
    #[error("{0} is missing: the folder is half written")]
    Missing(&'static str),
    /// A run with a verdict has had its document.
    #[error("the document is missing, though the run has a verdict")]
    NoDocument,
    /// No JSON.
    #[error("{file} is no JSON (line {line}, column {column})")]
    NoJson {
        /// Which file.
        file: &'static str,
        /// Where it stops being JSON.
        line: usize,
        /// …
        column: usize,
    },
    /// JSON of another shape.
    #[error("{file}: {what}")]
    Wrong {
        /// Which file.
        file: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// No month could hold such a run.
    #[error("its time lies outside of the years that a run can be of")]
    ImpossibleTime,
}

/// Whether a text is the id of an old run.
#[must_use]
pub fn is_run_id(text: &str) -> bool {
    ids::OldId::read(text).is_some()
}

/// Reads a folder's run. `now` bounds its time from above.
///
/// # Errors
/// Why it cannot be.
pub fn read(contents: &Contents, now: DateTime<Utc>) -> Result<LegacyRun, Unreadable> {
    match contents.form {
        Form::Nested => nested::read(contents, now),
        Form::Flat => flat::read(contents, now),
    }
}
