//! What a check found.

use serde::Serialize;
use shared::store::StoreError;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Something does not work.
    Wrong,
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub check: &'static str,
    /// How bad.
    pub grade: Grade,
    /// What was found, and what it means.
    pub what: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What a check answers; its name is put to it by whoever calls it.
pub type Found = (Grade, String, Option<String>);

/// As it should be.
pub fn good(what: impl Into<String>) -> Found {
    (Grade::Ok, what.into(), None)
}

/// Somebody should look.
pub fn warning(what: impl Into<String>, advice: impl Into<String>) -> Found {
    (Grade::Warning, what.into(), Some(advice.into()))
}

/// It does not work.
pub fn wrong(what: impl Into<String>, advice: impl Into<String>) -> Found {
    (Grade::Wrong, what.into(), Some(advice.into()))
}

/// The database does not answer a question after the first.
pub fn unasked(error: &StoreError) -> Vec<Found> {
    vec![wrong(format!("cannot be asked: {error}"), "see the database's line")]
}

impl Finding {
    /// The line for people.
    pub fn line(&self) -> String {
        let grade = match self.grade {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Wrong => "WRONG",
        };
        let advice = self.advice.as_ref().map(|advice| format!(" → {advice}")).unwrap_or_default();
        format!("{grade:<8} {:<13} {}{advice}", self.check, self.what)
    }
}
