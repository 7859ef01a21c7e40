//! `rb-ocr score`: holds answers against labels, and writes the figures into a page.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::output::show;
use crate::scoring::{documents, labels, pairs, section, tables};

/// What is scored.
#[derive(clap::Subcommand, Debug)]
pub enum Score {
    /// Answers about documents
    Documents(DocumentsArgs),
    /// Answers about pairs of names
    Names(NamesArgs),
}

/// Labels and answers.
#[derive(clap::Args, Debug)]
pub struct DocumentsArgs {
    /// One JSON object a line, with `file` and `expected`; true texts lie beside this file
    truth: PathBuf,
    /// What `evaluate` wrote, or runs as the api answers them, each with its `file`
    predictions: PathBuf,
    #[command(flatten)]
    page: Page,
}

/// Labels and answers.
#[derive(clap::Args, Debug)]
pub struct NamesArgs {
    /// Tab between: id, the applicant's name, the document's name, 1 or 0, kind
    pairs: PathBuf,
    /// What `names` printed
    answers: PathBuf,
    #[command(flatten)]
    page: Page,
}

/// Where the figures are kept.
#[derive(clap::Args, Debug)]
pub struct Page {
    /// Writes the figures between the two marks of this page, `<!-- evaluation: documents -->` or `… names`
    #[arg(long)]
    page: Option<PathBuf>,
    /// The commit that was measured
    #[arg(long)]
    commit: Option<String>,
}

impl Score {
    /// Prints the score. With `json` it is JSON.
    ///
    /// # Errors
    /// Labels or answers cannot be read, or the page cannot be written.
    pub fn run(&self, json: bool) -> anyhow::Result<()> {
        match self {
            Self::Documents(args) => args.run(json),
            Self::Names(args) => args.run(json),
        }
    }
}

impl DocumentsArgs {
    fn run(&self, json: bool) -> anyhow::Result<()> {
        let labels: Vec<labels::Label> = of(&self.truth, labels::lines)?;
        let answers: Vec<labels::Answer> = of(&self.predictions, labels::lines)?;
        let folder = self.truth.parent().unwrap_or(Path::new("."));
        let text = |label: &labels::Label| std::fs::read_to_string(folder.join(label.truth_text.as_ref()?)).ok();
        let report = documents::score(&labels, &answers, text);
        let part = tables::documents(&report, &self.page.when());
        self.page.show(json, "documents", &report, &part, &tables::more_of_documents(&report))
    }
}

impl NamesArgs {
    fn run(&self, json: bool) -> anyhow::Result<()> {
        let report = pairs::score(&of(&self.pairs, pairs::read)?, &of(&self.answers, pairs::answers)?);
        let part = tables::names(&report, &self.page.when());
        self.page.show(json, "names", &report, &part, &tables::more_of_names(&report))
    }
}

impl Page {
    fn when(&self) -> String {
        let today = chrono::Local::now().date_naive();
        match &self.commit {
            Some(commit) => format!("{today}, commit {commit}"),
            None => today.to_string(),
        }
    }

    fn show(&self, json: bool, name: &str, report: &impl Serialize, part: &str, more: &str) -> anyhow::Result<()> {
        if let Some(page) = &self.page {
            let before = read(page)?;
            let after = section::replace(&before, name, part).with_context(|| page.display().to_string())?;
            std::fs::write(page, after).with_context(|| format!("{} cannot be written", page.display()))?;
        }
        show(json, report, || format!("{part}\n{more}"));
        Ok(())
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// What a file holds; an error names it.
fn of<T>(file: &Path, parse: impl FnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
    parse(&read(file)?).with_context(|| file.display().to_string())
}
