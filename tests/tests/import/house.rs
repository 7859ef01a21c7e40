//! A database, a document store and an old tree of one test.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};

use harness::binaries::path;
use harness::old_tree::OldRun;
use harness::process::Environment;
use harness::services::Database;
use serde_json::Value;
use shared::store::Pool;

/// The house.
pub struct House {
    pub database: Database,
    pub tree: tempfile::TempDir,
    pub documents: tempfile::TempDir,
}

/// What an import said.
pub struct Said {
    /// Its status.
    pub status: i32,
    /// Its lines.
    pub lines: Vec<Value>,
    /// What it told a person.
    pub told: String,
}

impl Said {
    /// How many folders came out so.
    pub fn count(&self, outcome: &str) -> usize {
        self.lines.iter().filter(|line| line["outcome"] == outcome).count()
    }

    /// The line of the folder with this name.
    pub fn of(&self, name: &str) -> &Value {
        let of = |line: &&Value| Path::new(line["path"].as_str().unwrap()).file_name().unwrap() == name;
        self.lines.iter().find(of).unwrap_or_else(|| panic!("no line of {name}"))
    }
}

impl House {
    pub async fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Self { database: Database::fresh().await, tree: folder(), documents: folder() }
    }

    pub fn pool(&self) -> &Pool {
        self.database.pool()
    }

    pub fn write(&self, runs: &[OldRun]) {
        for run in runs {
            run.write(self.tree.path()).unwrap();
        }
    }

    pub fn environment(&self) -> Environment {
        Environment::new()
            .with("DATABASE_URL", self.database.url())
            .with("STORAGE_URL", format!("file://{}", self.documents.path().display()))
    }

    /// The command, not yet started.
    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(path("rb-ocr").unwrap());
        command.arg("import").arg(self.tree.path()).arg("--json").args(arguments);
        command.env_clear().kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in self.environment().iter() {
            command.env(name, value);
        }
        command
    }

    /// Imports.
    pub async fn import(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().await.unwrap())
    }

    /// All that the record and the document store hold, as figures: what must not change.
    pub async fn held(&self) -> BTreeMap<String, i64> {
        let tables = [
            "verification_runs",
            "verification_errors",
            "ocr_pages",
            "llm_calls",
            "callbacks",
            "jobs",
            "dead_jobs",
            "stats_deltas",
            "clients",
        ];
        let mut held = BTreeMap::new();
        for table in tables {
            let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            held.insert(table.to_owned(), sqlx::query_scalar(statement).fetch_one(self.pool()).await.unwrap());
        }
        let counted = "SELECT coalesce(sum(ended), 0)::bigint FROM stats_all_hours";
        held.insert("counted".to_owned(), sqlx::query_scalar(counted).fetch_one(self.pool()).await.unwrap());
        held.insert("files".to_owned(), i64::try_from(files(self.documents.path())).unwrap());
        held
    }
}

/// What a command that has ended said.
pub fn said(output: &Output) -> Said {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        lines: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        told: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

/// Plain files below a folder.
fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
