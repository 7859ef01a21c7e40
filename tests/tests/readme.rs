//! README.md and docs/ against what they speak of: settings, error codes, make's targets, commands, files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::binaries::command_line;
use harness::process::Environment;
use harness::services::checkout;
use shared::domain::ErrorCode;
use shared::settings::TABLE;

/// README.md and every page under docs/, each with its file.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = std::fs::read_dir(checkout().join("docs")).expect("docs is there");
    let mut files: Vec<PathBuf> = docs
        .map(|entry| entry.expect("docs can be read").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.push(checkout().join("README.md"));
    files.sort();
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The cells of each row of the table below a heading, without the table's own heading.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading}"));
    let table = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.skip(2).map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// What stands as code: spans between backticks, and the lines of fenced blocks.
fn code_of(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.trim());
        } else {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

#[test]
fn the_table_of_settings_is_that_of_the_code() {
    let ours: Vec<Vec<String>> = TABLE
        .iter()
        .map(|setting| vec![code(setting.name), code(setting.default), setting.meaning.to_owned()])
        .collect();
    assert_eq!(rows(&read(&checkout().join("README.md")), "## Settings"), ours);
}

#[test]
fn the_table_of_error_codes_is_that_of_the_code() {
    let word = |yes| if yes { "yes" } else { "no" }.to_owned();
    let ours: Vec<Vec<String>> = ErrorCode::ALL
        .iter()
        .map(|error| {
            let (name, status) = (code(error.as_str()), error.status().as_str().to_owned());
            vec![name, error.int_code().to_string(), status, word(error.retryable()), error.detail().to_owned()]
        })
        .collect();
    assert_eq!(rows(&read(&checkout().join("README.md")), "### Error codes of a run"), ours);
}

#[test]
fn every_target_of_make_that_is_named_exists_and_every_one_is_named() {
    let makefile = read(&checkout().join("Makefile"));
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['.', '#', '\t', ' ']))
        .filter_map(|line| line.split_once(':').map(|(target, _)| target))
        .collect();
    let pages = pages();
    let named: BTreeSet<&str> = pages
        .iter()
        .flat_map(|(_, text)| code_of(text))
        .filter_map(|code| code.strip_prefix("make "))
        .filter_map(|rest| rest.split_whitespace().find(|word| !word.contains('=')))
        .collect();
    assert_eq!(named, targets);
}

#[test]
fn every_file_that_is_named_exists() {
    let tops: Vec<String> = std::fs::read_dir(checkout())
        .expect("the checkout is there")
        .map(|entry| entry.expect("the checkout can be read").file_name().to_string_lossy().into_owned())
        .collect();
    let plain = |path: &str| path.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let mut missing = Vec::new();
    for (page, text) in &pages() {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let links = links.filter(|link| !link.is_empty() && !link.contains("://"));
        let beside = page.parent().expect("a page lies in a folder");
        missing.extend(links.filter(|link| !beside.join(link).exists()).map(ToOwned::to_owned));
        let paths = code_of(text).into_iter().filter(|code| plain(code));
        let paths = paths.filter(|code| {
            code.split_once('/').is_some_and(|(top, _)| tops.iter().any(|name| name == top) && top != "target")
        });
        missing.extend(paths.filter(|path| !checkout().join(path).exists()).map(ToOwned::to_owned));
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn every_command_that_is_named_exists() {
    let pages = pages();
    let commands: BTreeSet<Vec<&str>> = pages
        .iter()
        .flat_map(|(_, text)| code_of(text))
        .filter_map(|code| code.strip_prefix("rb-ocr "))
        .map(|rest| {
            let words = rest.split_whitespace();
            words.take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase())).take(2).collect()
        })
        .collect();
    assert!(!commands.is_empty(), "no command is named");
    for command in commands {
        let asked: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        command_line(&asked, &Environment::new()).await.unwrap_or_else(|error| panic!("{command:?}: {error:#}"));
    }
}
