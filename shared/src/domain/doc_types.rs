//! The fifteen document types that are accepted: title, days of validity, aliases.

/// One accepted type.
#[derive(Debug, PartialEq, Eq)]
pub struct DocType {
    /// The title callers see.
    pub title: &'static str,
    /// Days from the issue date on which it is valid.
    pub validity_days: u32,
}
