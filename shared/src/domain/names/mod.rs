//! Names of people in Russian, Kazakh and Latin letters: normal forms, cases, and the comparison
//! that decides whether the person in a document is the applicant.

mod alignment;
mod applicant;
mod compare;
mod declension;
pub(crate) mod given_names;
mod latin;
mod nominative;
pub(crate) mod parts;
pub(crate) mod patronymic;
pub(crate) mod surnames;
mod written;

pub use applicant::{FioError, may_stand, validate_applicant};
pub use compare::{NameMatch, Reason, compare, mend};
pub use declension::{Case, Gender, forms};
pub(crate) use nominative::given_nominative;
pub use nominative::nominative;
pub(crate) use written::Written;

use super::letters::fold;

/// A part of a full name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Family name.
    Surname,
    /// Given name.
    Given,
    /// Father's name with an ending.
    Patronymic,
}

/// The name with single spaces and nothing around it.
#[must_use]
pub fn normalise(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form in which names are stored for searching: lower case, ё as е, Kazakh letters as the
/// Russian ones they look like, single spaces.
#[must_use]
pub fn fio_search(name: &str) -> String {
    normalise(&fold(name))
}

#[cfg(test)]
mod tests;
