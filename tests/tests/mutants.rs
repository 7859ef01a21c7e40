//! The patches of `make chaos-mutants`, without building any: the code that they break moves on, and a patch that has
//! stayed behind would prove nothing on the day it is needed.

use std::path::PathBuf;

use harness::services::checkout;

/// A patch: its name and its text.
struct Mutant {
    name: String,
    text: String,
}

fn read(file: PathBuf) -> String {
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn mutants() -> Vec<Mutant> {
    let folder = std::fs::read_dir(checkout().join("tests/chaos/mutants")).expect("the folder is there");
    let files = folder.map(|entry| entry.expect("the folder can be read").path());
    let mut all: Vec<Mutant> = files
        .map(|file| {
            assert_eq!(file.extension().and_then(|extension| extension.to_str()), Some("patch"), "{}", file.display());
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            Mutant { name, text: read(file) }
        })
        .collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

impl Mutant {
    /// What stands above the first file.
    fn head(&self) -> &str {
        self.text.split("\ndiff --git ").next().unwrap_or_default()
    }

    /// The file and the lines before the change, of every hunk.
    fn hunks(&self) -> Vec<(&str, String)> {
        let (mut file, mut found) = ("", Vec::<(&str, String)>::new());
        for line in self.text.lines().skip(self.head().lines().count()) {
            if let Some(path) = line.strip_prefix("--- a/") {
                file = path;
            } else if line.starts_with("@@ ") {
                found.push((file, String::new()));
            } else if let Some(before) = line.strip_prefix([' ', '-']).filter(|_| !line.starts_with("--- "))
                && let Some((_, lines)) = found.last_mut()
            {
                lines.push_str(before);
                lines.push('\n');
            }
        }
        found
    }
}

#[test]
fn every_mutant_still_applies_to_the_code_that_it_breaks() {
    for mutant in mutants() {
        let hunks = mutant.hunks();
        assert!(!hunks.is_empty(), "{} changes nothing", mutant.name);
        for (file, before) in hunks {
            let code = read(checkout().join(file));
            assert!(code.contains(&before), "{}.patch does not apply to {file} any more:\n{before}", mutant.name);
        }
    }
}

#[test]
fn every_mutant_says_which_promise_it_breaks_and_what_catches_it() {
    for mutant in mutants() {
        let (breaks, caught) = mutant.head().split_once("\nCaught by: ").unwrap_or_default();
        let known = |catcher: &str| ["model", "jobs", "cancel", "chaos"].contains(&catcher);
        let says = breaks.starts_with("Breaks: ") && breaks.ends_with('.') && caught.trim_end().split(", ").all(known);
        assert!(says, "{}.patch begins with `Breaks: ` and a sentence, and `Caught by: ` and catchers", mutant.name);
    }
}

#[test]
fn what_caught_each_mutant_is_written_down() {
    let page = read(checkout().join("docs/mutants.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let names: Vec<String> = mutants().into_iter().map(|mutant| mutant.name).collect();
    assert!(names.len() > 10, "a dozen at least");
    assert_eq!(rows.collect::<Vec<_>>(), names);
}
