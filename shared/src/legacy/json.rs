//! One JSON file of a folder, and values taken from it with their types looked at.

use serde_json::{Map, Value};

use super::{Contents, Part, Unreadable};

/// A file's object.
#[derive(Debug)]
pub struct Object {
    file: &'static str,
    members: Map<String, Value>,
}

/// Text as it can be kept: PostgreSQL has no place for the character 0.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').collect()
}

/// The JSON of a part; none where the file is not there. How deep it may be nested is serde_json's own bound.
pub fn value(contents: &Contents, part: Part) -> Result<Option<(&'static str, Value)>, Unreadable> {
    let Some((file, bytes)) = contents.parts.get(&part) else {
        return Ok(None);
    };
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match serde_json::from_slice(text) {
        Ok(value) => Ok(Some((file, value))),
        Err(error) => Err(Unreadable::NoJson { file, line: error.line(), column: error.column() }),
    }
}

impl Object {
    /// The object of a part; none where the file is not there.
    pub fn of(contents: &Contents, part: Part) -> Result<Option<Self>, Unreadable> {
        match value(contents, part)? {
            None => Ok(None),
            Some((file, Value::Object(members))) => Ok(Some(Self { file, members })),
            Some((file, _)) => Err(Unreadable::Wrong { file, what: "is no JSON object".into() }),
        }
    }

    /// The same of a file that must be there.
    pub fn needed(contents: &Contents, part: Part) -> Result<Self, Unreadable> {
        let missing = || Unreadable::Missing(part.files(contents.form).first().copied().unwrap_or("a file"));
        Self::of(contents, part)?.ok_or_else(missing)
    }

    /// What is wrong with this file.
    pub fn wrong(&self, what: impl Into<String>) -> Unreadable {
        Unreadable::Wrong { file: self.file, what: what.into() }
    }

    fn not(&self, key: &str, what: &str) -> Unreadable {
        self.wrong(format!("{key} is no {what}"))
    }

    /// As it is; none where it is null or absent.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    /// A member that is an object itself.
    pub fn object(&self, key: &str) -> Result<Option<Self>, Unreadable> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { file: self.file, members: members.clone() })),
            Some(_) => Err(self.not(key, "object")),
        }
    }

    /// A text of so many characters at most; none where there is none, or nothing in it.
    pub fn text(&self, key: &str, most: usize) -> Result<Option<String>, Unreadable> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let text = clean(text.trim());
                if text.chars().count() > most {
                    return Err(self.wrong(format!("{key} has more than {most} characters")));
                }
                Ok(Some(text).filter(|text| !text.is_empty()))
            }
            Some(_) => Err(self.not(key, "text")),
        }
    }

    /// The same of what may also be a number.
    pub fn text_or_number(&self, key: &str, most: usize) -> Result<Option<String>, Unreadable> {
        match self.get(key) {
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            _ => self.text(key, most),
        }
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Unreadable> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.not(key, "true or false")),
        }
    }

    /// Seconds; none also where they are negative, which says nothing.
    pub fn seconds(&self, key: &str) -> Result<Option<f64>, Unreadable> {
        match self.get(key) {
            None => Ok(None),
            // A month of seconds: no run took longer.
            Some(Value::Number(number)) => Ok(number.as_f64().filter(|seconds| (0.0..=2_678_400.0).contains(seconds))),
            Some(_) => Err(self.not(key, "number")),
        }
    }

    /// A list; empty where there is none.
    pub fn list(&self, key: &str, most: usize) -> Result<&[Value], Unreadable> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) if items.len() <= most => Ok(items),
            Some(Value::Array(_)) => Err(self.wrong(format!("{key} has more than {most} entries"))),
            Some(_) => Err(self.not(key, "list")),
        }
    }
}
