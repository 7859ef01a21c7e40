//! What the pipeline loses around a perfect model, and what asking it only in doubt saves: labelled documents through
//! the real stages (`rb-ocr evaluate`, a process a document) beside a model that knows the answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::options::Options;
use super::report::Table;
use crate::binaries;
use crate::standins::knowing::Known;
use crate::standins::llm::{Behaviour, Llm};

/// The day by which documents are judged, as in `make evaluate`.
const AS_OF: &str = "2026-11-22";

/// What the model was asked for one document.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    documents: usize,
    calls: usize,
    letters: usize,
}

/// One way to analyse, over all documents.
#[derive(Debug)]
struct Measured {
    analyzer: String,
    /// As `rb-ocr score` counts.
    score: Value,
    asked: Asked,
}

/// The table, of the folder's documents.
///
/// # Errors
/// The folder has no truth.jsonl, or a program fails.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let folder = options.documents.canonicalize().context("the folder of documents is not there")?;
    let mut measured = Vec::new();
    for analyzer in &options.analyzers {
        measured.push(one(&folder, analyzer).await?);
    }
    Ok(report(&options.documents, &measured))
}

fn report(folder: &Path, measured: &[Measured]) -> String {
    let count = |score: &Value, what: &str| {
        let number = |name: &str| score["all"][what][name].as_u64().unwrap_or(0);
        format!("{} of {}", number("hits"), number("of"))
    };
    let always = measured.iter().find(|one| one.analyzer == "llm").map(|one| one.asked).unwrap_or_default();
    let mut heads = vec!["ANALYZER", "verdict right", "false accepts", "false rejects", "type", "name", "date"];
    heads.extend(["documents asked about", "calls", "characters sent", "saved"]);
    let mut table = Table::new(heads);
    for Measured { analyzer, score, asked } in measured {
        let mut row = vec![analyzer.clone()];
        let fields = ["verdict", "false_accepts", "false_rejects", "doc_type", "fio_either_spelling", "doc_date"];
        row.extend(fields.map(|field| count(score, field)));
        row.extend([asked.documents, asked.calls, asked.letters].map(|number| number.to_string()));
        let saved = 100.0 * (1.0 - asked.letters as f64 / always.letters.max(1) as f64);
        row.push(format!("{saved:.0} %"));
        table.row(row);
    }
    let documents = measured.first().and_then(|one| one.score["all"]["documents"].as_u64()).unwrap_or(0);
    let wrong: String = measured.iter().flat_map(wrong_verdicts).collect();
    format!("A model that knows the answers: {documents} documents of {}\n\n{table}{wrong}", folder.display())
}

/// Documents that were judged wrongly, a line each.
fn wrong_verdicts(measured: &Measured) -> impl Iterator<Item = String> {
    let wrong = measured.score["wrong"].as_array().into_iter().flatten();
    wrong.filter_map(|document| {
        let what: Vec<&str> = document["what"].as_array()?.iter().filter_map(Value::as_str).collect();
        let is_verdict = what.iter().any(|what| what.starts_with("verdict"));
        let file = document["file"].as_str()?;
        is_verdict.then(|| format!("{}: {file}: {}\n", measured.analyzer, what.join("; ")))
    })
}

async fn one(folder: &Path, analyzer: &str) -> anyhow::Result<Measured> {
    let truth = folder.join("truth.jsonl");
    let lines = std::fs::read_to_string(&truth).with_context(|| format!("{} cannot be read", truth.display()))?;
    let lines: Vec<&str> = lines.lines().filter(|line| !line.trim().is_empty()).collect();
    let work = tempfile::tempdir()?;
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let documents = lines.iter().enumerate().map(|(number, line)| {
        let place = work.path().join(number.to_string());
        document(folder, line, place, analyzer)
    });
    let done: Vec<(String, Asked)> = futures::stream::iter(documents).buffered(at_once).try_collect().await?;
    let mut asked = Asked::default();
    let mut predictions = String::new();
    for (prediction, one) in done {
        predictions.push_str(&prediction);
        asked.documents += one.documents;
        asked.calls += one.calls;
        asked.letters += one.letters;
    }
    let answers = work.path().join("predictions.jsonl");
    std::fs::write(&answers, predictions)?;
    let scored = rb_ocr(&["score", "documents", &shown(&truth), &shown(&answers), "--json"], &[]).await?;
    Ok(Measured { analyzer: analyzer.to_owned(), score: serde_json::from_slice(&scored)?, asked })
}

/// One document before a model of its own; what came out, and what was asked.
async fn document(folder: &Path, line: &str, place: PathBuf, analyzer: &str) -> anyhow::Result<(String, Asked)> {
    let mut described: Value = serde_json::from_str(line)?;
    let name = described["file"].as_str().context("a line without a file")?.to_owned();
    described["file"] = shown(&folder.join(&name)).into();
    std::fs::create_dir(&place)?;
    let (truth, out) = (place.join("truth.jsonl"), place.join("predictions.jsonl"));
    std::fs::write(&truth, format!("{described}\n"))?;
    let known: Arc<Known> = Arc::new(serde_json::from_str(line).with_context(|| format!("the label of {name}"))?);
    let model = Llm::start(Behaviour::answering(move |call| known.answer(call))).await;
    let settings = [
        ("ANALYZER", analyzer),
        ("LLM_BASE_URL", &model.base_url()),
        ("LLM_MODEL", "the-model-that-knows"),
        ("RUST_LOG", "error"),
    ];
    rb_ocr(&["evaluate", &shown(&truth), "--as-of", AS_OF, "--out", &shown(&out)], &settings).await?;
    let mut prediction: Value = serde_json::from_str(&std::fs::read_to_string(&out)?)?;
    prediction["file"] = name.into();
    let calls = model.calls();
    let letters = calls.iter().map(|call| ["system", "user"].map(|role| call.messages(role).chars().count()));
    let asked =
        Asked { documents: usize::from(!calls.is_empty()), calls: calls.len(), letters: letters.flatten().sum() };
    Ok((format!("{prediction}\n"), asked))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs the command line to its end; what it printed.
async fn rb_ocr(arguments: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Vec<u8>> {
    let mut command = tokio::process::Command::new(binaries::path("rb-ocr")?);
    command.args(arguments).envs(settings.iter().copied()).kill_on_drop(true);
    let output = command.output().await?;
    if !output.status.success() {
        bail!("rb-ocr {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_saved_is_told_by_what_is_sent() {
        let one = |analyzer: &str, documents, letters| Measured {
            analyzer: analyzer.to_owned(),
            score: json!({"all": {"documents": 4, "verdict": {"hits": 3, "of": 4}}}),
            asked: Asked { documents, calls: 2 * documents, letters },
        };
        let said = report(Path::new("folder"), &[one("rules", 0, 0), one("llm", 4, 400), one("cascade", 1, 60)]);
        let cells = |analyzer: &str| {
            let row = said.lines().find(|line| line.starts_with(&format!("| {analyzer} "))).expect("a row");
            row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cells("cascade")[8..12], ["1", "2", "60", "85 %"]);
        assert_eq!((cells("llm")[2].as_str(), cells("llm")[11].as_str()), ("3 of 4", "0 %"));
    }
}
