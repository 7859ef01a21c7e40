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
fn code_of(text: &str) -> Vec<String> {
    let mut fenced = false;
    let (mut found, mut prose) = (Vec::new(), String::new());
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.trim().to_owned());
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    let parts: Vec<&str> = prose.split('`').collect();
    assert!(parts.len() % 2 == 1, "a backtick has no other: {text:.40}");
    found.extend(parts.into_iter().skip(1).step_by(2).map(ToOwned::to_owned));
    found
}

/// The code of all pages.
fn code_of_all() -> Vec<String> {
    pages().iter().flat_map(|(_, text)| code_of(text)).collect()
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
    let code = code_of_all();
    let named: BTreeSet<&str> = code
        .iter()
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
            code.split_once('/')
                .is_some_and(|(top, _)| tops.iter().any(|name| name == top) && ![".local", "target"].contains(&top))
        });
        missing.extend(paths.filter(|path| !checkout().join(path).exists()));
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn every_command_that_is_named_exists_and_every_one_is_named() {
    let help = async |command: &[&str]| {
        let asked: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let output = command_line(&asked, &Environment::new()).await;
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error:#}"));
        String::from_utf8(output.stdout).expect("help is text")
    };
    let code = code_of_all();
    let named: BTreeSet<Vec<&str>> = code
        .iter()
        .filter_map(|code| code.strip_prefix("rb-ocr "))
        .map(|rest| {
            let words = rest.split_whitespace();
            words.take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase())).take(2).collect()
        })
        .collect();
    for command in &named {
        help(command).await;
    }
    let listed = |help: &str| -> Vec<String> {
        let (_, commands) = help.split_once("Commands:\n").unwrap_or_default();
        let commands = commands.lines().take_while(|line| !line.is_empty());
        let words = commands.filter_map(|line| line.split_whitespace().next());
        words.filter(|command| *command != "help").map(ToOwned::to_owned).collect()
    };
    let mut exist = BTreeSet::new();
    for command in listed(&help(&[]).await) {
        let below = listed(&help(&[&command]).await);
        if below.is_empty() {
            exist.insert(command);
        } else {
            exist.extend(below.iter().map(|below| format!("{command} {below}")));
        }
    }
    // The table names each of them, and nothing else: its first column begins with the command.
    let table = rows(&read(&checkout().join("README.md")), "## The command line");
    let named: BTreeSet<String> = table
        .iter()
        .filter_map(|row| row.first()?.strip_prefix("`rb-ocr "))
        .map(|rest| {
            let words: Vec<&str> = rest.trim_end_matches('`').split_whitespace().take(2).collect();
            let both = words.join(" ");
            if exist.contains(&both) { both } else { words.first().copied().unwrap_or_default().to_owned() }
        })
        .collect();
    assert_eq!(named, exist);
}
