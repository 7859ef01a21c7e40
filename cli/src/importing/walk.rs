//! Which folders there are: `RUNS_DIR/YYYY-MM-DD/RUN_ID`.

use std::path::PathBuf;

use chrono::NaiveDate;

use super::inside::Root;

/// A folder that should be a run's.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// The day that it lies under.
    pub day: NaiveDate,
}

/// What lies in one place.
#[derive(Debug)]
pub struct Found<T> {
    /// What was looked for.
    pub wanted: Vec<T>,
    /// What is none of it, and why.
    pub odd: Vec<(PathBuf, &'static str)>,
}

const A_LINK: &str = "is a link, which is not followed";

/// The days below a root.
///
/// # Errors
/// The root cannot be read.
pub fn days(root: &Root) -> std::io::Result<Found<(PathBuf, NaiveDate)>> {
    let mut found = Found { wanted: Vec::new(), odd: Vec::new() };
    for entry in Root::entries(root.path())? {
        let path = root.path().join(&entry.name);
        let day = entry.name.parse::<NaiveDate>().ok().filter(|day| day.to_string() == entry.name);
        match day {
            _ if entry.name.starts_with('.') || entry.kind.is_file() => {}
            _ if entry.kind.is_symlink() => found.odd.push((path, A_LINK)),
            Some(day) if entry.kind.is_dir() => found.wanted.push((path, day)),
            _ => found.odd.push((path, "is no day's folder (YYYY-MM-DD)")),
        }
    }
    Ok(found)
}

/// The folders of a day.
///
/// # Errors
/// It cannot be read.
pub fn runs(path: &std::path::Path, day: NaiveDate) -> std::io::Result<Found<Candidate>> {
    let mut found = Found { wanted: Vec::new(), odd: Vec::new() };
    for entry in Root::entries(path)? {
        let path = path.join(&entry.name);
        // What begins with a dot is not finished, or none of ours; a stray file beside the folders is no run.
        if entry.name.starts_with('.') || entry.kind.is_file() {
            continue;
        }
        if entry.kind.is_dir() {
            found.wanted.push(Candidate { path, name: entry.name, day });
        } else {
            found.odd.push((path, if entry.kind.is_symlink() { A_LINK } else { "is no folder" }));
        }
    }
    Ok(found)
}
