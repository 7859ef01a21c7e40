//! Reads values by name, with the defaults of the table, and collects what is wrong.

use super::fault::{Fault, Faults};
use super::table::default_of;

/// Collects faults while values are read. A value that cannot be used is replaced by its default, so
/// that reading goes on; [`Reader::finish`] then refuses the whole.
pub struct Reader<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// Reads from `source`.
    pub fn new(source: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { source, faults: Vec::new() }
    }

    fn given(&self, name: &str) -> Option<String> {
        (self.source)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A setting that has a default.
    pub(super) fn required<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        let default = default_of(name);
        if let Some(given) = self.given(name) {
            match parse(&given) {
                Ok(value) => return value,
                Err(problem) => self.disagree(name, &problem),
            }
        }
        parse(default).unwrap_or_else(|problem| unreachable!("the default of {name} is wrong: it {problem}"))
    }

    /// A setting that may be absent.
    pub(super) fn optional<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = self.given(name).or_else(|| Some(default_of(name).to_owned()).filter(|d| !d.is_empty()))?;
        parse(&given).map_err(|problem| self.disagree(name, &problem)).ok()
    }

    /// Whether a variable has this value.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.given(name).as_deref() == Some(value)
    }

    /// Notes that a setting is wrong, alone or beside another.
    pub(super) fn disagree(&mut self, name: &str, problem: &str) {
        self.faults.push(Fault { name: name.to_owned(), problem: problem.to_owned() });
    }

    /// The settings, if nothing was wrong.
    ///
    /// # Errors
    /// All that was noted.
    pub fn finish<T>(self, settings: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(settings) } else { Err(Faults(self.faults)) }
    }
}
