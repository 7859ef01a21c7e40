//! Names: of the applicant, of the file, of the run.

use super::ids::OldId;
use super::json::Object;
use super::{Contents, Unreadable};
use crate::domain::file_name::cleaned;

/// Characters of an applicant's name, at most: far more than anybody has.
pub const FIO_CHARS: usize = 500;

/// Characters of a path or an URL, at most.
pub const PATH_CHARS: usize = 4096;

/// `last first second`, as the old system joined them; none where there was none.
pub fn applicant(end: &Object) -> Result<Option<String>, Unreadable> {
    let mut words = Vec::new();
    for key in ["external_last_name", "external_first_name", "external_second_name"] {
        words.extend(end.text(key, FIO_CHARS)?);
    }
    Ok(Some(words.join(" ")).filter(|name| !name.is_empty()))
}

/// The last part of a path or an URL, as it may be kept: how the file was called by whoever put it there.
#[must_use]
pub fn last_part(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!last.is_empty()).then(|| cleaned(Some(last), "bin"))
}

/// Which run a folder is of: what its files say, which must agree, or else the folder's name.
pub fn run_id(contents: &Contents, objects: &[&Object]) -> Result<String, Unreadable> {
    let mut named: Option<String> = None;
    for object in objects {
        let Some(id) = object.text("run_id", PATH_CHARS)?.filter(|id| OldId::read(id).is_some()) else {
            continue;
        };
        if named.as_ref().is_some_and(|other| !other.eq_ignore_ascii_case(&id)) {
            return Err(Unreadable::SeveralRuns);
        }
        named.get_or_insert(id);
    }
    let own = || Some(contents.name.clone()).filter(|name| OldId::read(name).is_some());
    named.or_else(own).ok_or(Unreadable::NoRunId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_own_name_is_the_end_of_its_path() {
        assert_eq!(last_part("s3://bucket/2025/приказ 7.pdf").as_deref(), Some("приказ 7.pdf"));
        assert_eq!(last_part("https://s3/bucket/a.pdf?X-Amz-Signature=1").as_deref(), Some("a.pdf"));
        assert_eq!(last_part("C:\\scans\\a.pdf").as_deref(), Some("a.pdf"));
        assert_eq!(last_part("///"), None);
        assert_eq!(last_part(""), None);
    }
}
