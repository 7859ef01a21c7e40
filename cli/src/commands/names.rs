//! `rb-ocr names PAIRS.tsv`: compares names pair by pair, by the function that makes `fio_match`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use shared::domain::names;

/// What to compare.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tab between, no quoting: id, the applicant's name, the document's name; more columns are left alone
    pairs: PathBuf,
}

/// Prints id, 0 or 1, score and reason, tab between, a line for each pair. A first line whose first column is
/// `id` is a heading.
///
/// # Errors
/// The pairs cannot be read, or a line has fewer than three columns.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let pairs =
        std::fs::read_to_string(&args.pairs).with_context(|| format!("{} cannot be read", args.pairs.display()))?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for (number, line) in pairs.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut columns = line.split('\t');
        let id = columns.next().unwrap_or_default();
        if line.is_empty() || (number == 0 && id == "id") {
            continue;
        }
        let (Some(applicant), Some(document)) = (columns.next(), columns.next()) else {
            anyhow::bail!("line {} of {} has fewer than three columns", number + 1, args.pairs.display());
        };
        let compared = names::compare(applicant, document);
        let (same, score, reason) = (u8::from(compared.same), compared.score, compared.reason.to_string());
        if json {
            writeln!(out, "{}", json!({"id": id, "same": compared.same, "score": score, "reason": reason}))?;
        } else {
            writeln!(out, "{id}\t{same}\t{score:.3}\t{reason}")?;
        }
    }
    Ok(out.flush()?)
}
