//! What reading a page costs: CPU seconds of the real stages with Tesseract and Poppler (`rb-ocr evaluate`, a process
//! a document), beside one plain run of Tesseract over the same page; and the memory of the largest child.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::options::Options;
use super::report::{Table, against, digits};
use super::statistics::{median, percentile};
use crate::binaries;

/// A page image may take this many times what one plain run of Tesseract takes.
const TARGET_RATIO: f64 = 1.3;
/// Seconds of a page that is read from its text layer,
const TARGET_LAYER: f64 = 0.3;
/// and of one that is held against its picture as well.
const TARGET_LOOKED_AT: f64 = 1.5;
/// MB of one child.
const TARGET_CHILD: f64 = 700.0;

/// What a process and the children that it waited for took.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    cpu_seconds: f64,
    /// The largest of them.
    resident_mb: f64,
}

/// A document, by the way its pages were read.
struct Measured {
    pages: f64,
    layered: bool,
    looked_at: bool,
    second_attempts: f64,
    ours: Took,
    plain: Option<Took>,
}

/// The table of costs, of the folder's documents.
///
/// # Errors
/// The folder has no truth.jsonl, or a program fails.
pub async fn measure(options: &Options) -> anyhow::Result<String> {
    let folder = options.documents.clone();
    let measured = tokio::task::spawn_blocking(move || documents(&folder)).await??;
    Ok(report(&options.documents, &measured))
}

fn report(folder: &Path, measured: &[Measured]) -> String {
    let a_page = |of: &dyn Fn(&Measured) -> bool, took: &dyn Fn(&Measured) -> Option<f64>| -> Vec<f64> {
        let chosen = measured.iter().filter(|document| of(document));
        chosen.filter_map(|document| Some(took(document)? / document.pages)).collect()
    };
    let ours = |document: &Measured| Some(document.ours.cpu_seconds);
    let plain = |document: &Measured| document.plain.map(|took| took.cpu_seconds);
    let images = |document: &Measured| !document.layered;
    let (image, tesseract) = (a_page(&images, &ours), a_page(&images, &plain));
    let pages: f64 = measured.iter().filter(|document| images(document)).map(|document| document.pages).sum();
    let again: f64 = measured.iter().map(|document| document.second_attempts).sum();
    let mut table = Table::new(["reading", "measured", "target", ""]);
    let mut row = |what: &str, cells: [String; 3]| table.row([vec![what.to_owned()], cells.to_vec()].concat());
    let untold = |figure: f64, unit: &str| [format!("{} {unit}", digits(figure)), String::new(), String::new()];
    row("a page image: CPU seconds, median", untold(median(&image), "s"));
    row("the same, 90th percentile", untold(percentile(&image, 90.0), "s"));
    row("the same page, one plain run of Tesseract, median", untold(median(&tesseract), "s"));
    row("times as much", against(median(&image) / median(&tesseract), TARGET_RATIO, "×"));
    let layered = a_page(&|document| document.layered && !document.looked_at, &ours);
    row("a page with a text layer, median", against(median(&layered), TARGET_LAYER, "s"));
    let looked_at = a_page(&|document| document.looked_at, &ours);
    row("one that is held against its picture, median", against(median(&looked_at), TARGET_LOOKED_AT, "s"));
    row("page images that needed a second attempt", untold(100.0 * again / pages.max(1.0), "%"));
    let largest = measured.iter().map(|document| document.ours.resident_mb).fold(0.0, f64::max);
    row("the largest process, resident", against(largest, TARGET_CHILD, "MB"));
    format!("Reading: {} documents of {}, one at a time\n\n{table}", measured.len(), folder.display())
}

fn documents(folder: &Path) -> anyhow::Result<Vec<Measured>> {
    let truth = folder.join("truth.jsonl");
    let lines = std::fs::read_to_string(&truth).with_context(|| format!("{} cannot be read", truth.display()))?;
    let work = tempfile::tempdir()?;
    lines.lines().filter(|line| !line.trim().is_empty()).map(|line| document(folder, line, work.path())).collect()
}

fn document(folder: &Path, line: &str, work: &Path) -> anyhow::Result<Measured> {
    let described: Value = serde_json::from_str(line)?;
    let file = folder.join(described["file"].as_str().context("a line without a file")?).canonicalize()?;
    let mut one = described.clone();
    one["file"] = file.to_string_lossy().into();
    let (truth, out) = (work.join("truth.jsonl"), work.join("predictions.jsonl"));
    std::fs::write(&truth, format!("{one}\n"))?;
    let arguments: [&std::ffi::OsStr; 6] = [
        "evaluate".as_ref(),
        truth.as_ref(),
        "--as-of".as_ref(),
        "2026-11-22".as_ref(),
        "--out".as_ref(),
        out.as_ref(),
    ];
    let ours = run(&binaries::path("rb-ocr")?, &arguments)?;
    let prediction: Value = serde_json::from_str(&std::fs::read_to_string(&out)?)?;
    let reading = &prediction["reading"];
    let pages = prediction["page_count"].as_f64().unwrap_or(1.0).max(1.0);
    let layered = reading["text_layer"].as_f64().unwrap_or(0.0) >= pages;
    Ok(Measured {
        pages,
        layered,
        looked_at: reading["looked_at"].as_f64().unwrap_or(0.0) > 0.0,
        second_attempts: reading["second_attempts"].as_f64().unwrap_or(0.0),
        plain: if layered { None } else { Some(plainly(&file, work)?) },
        ours,
    })
}

/// One run of Tesseract at 300 dots an inch over every page, as it stands; drawing the pages of a PDF is not counted.
fn plainly(file: &Path, work: &Path) -> anyhow::Result<Took> {
    let pages: Vec<PathBuf> = if file.extension().is_some_and(|extension| extension == "pdf") {
        let prefix = work.join("page");
        run(Path::new("pdftoppm"), &["-r".as_ref(), "300".as_ref(), "-gray".as_ref(), file.as_ref(), prefix.as_ref()])?;
        let drawn = std::fs::read_dir(work)?.filter_map(|entry| Some(entry.ok()?.path()));
        drawn.filter(|path| path.extension().is_some_and(|extension| extension == "pgm")).collect()
    } else {
        vec![file.to_owned()]
    };
    let mut all = Took::default();
    for page in pages {
        let arguments: [&std::ffi::OsStr; 6] =
            [page.as_ref(), "stdout".as_ref(), "-l".as_ref(), "rus+kaz".as_ref(), "--dpi".as_ref(), "300".as_ref()];
        let took = run(Path::new("tesseract"), &arguments)?;
        all.cpu_seconds += took.cpu_seconds;
        if page.starts_with(work) {
            std::fs::remove_file(page)?;
        }
    }
    Ok(all)
}

/// Runs a program to its end and says what it took.
fn run(program: &Path, arguments: &[&std::ffi::OsStr]) -> anyhow::Result<Took> {
    let arguments: Vec<OsString> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let child = std::process::Command::new(program)
        .args(&arguments)
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let (status, took) = waited(child.id())?;
    if !status.success() {
        bail!("{} ended with {status}", program.display());
    }
    Ok(took)
}

/// Waits for a child; the system says what it took, with the children that it waited for itself.
#[expect(unsafe_code, reason = "the standard library does not say what a child took")]
fn waited(child: u32) -> anyhow::Result<(ExitStatus, Took)> {
    let child = libc::pid_t::try_from(child)?;
    let mut status = 0;
    // SAFETY: all bytes zero are a `rusage`, which the call fills; both outlive it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: as above; the child is ours and nobody else waits for it.
    while unsafe { libc::wait4(child, &raw mut status, 0, &raw mut usage) } != child {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error.into());
        }
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let took = Took {
        cpu_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        resident_mb: usage.ru_maxrss as f64 / 1e3,
    };
    Ok((ExitStatus::from_raw(status), took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_takes_counts_its_children() {
        let script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let own = run(Path::new("sh"), &["-c".as_ref(), script.as_ref()]).expect("it runs");
        assert!(own.cpu_seconds > 0.0 && own.resident_mb > 0.1, "{own:?}");
        let childs =
            run(Path::new("sh"), &["-c".as_ref(), format!("sh -c '{script}'; true").as_ref()]).expect("it runs");
        assert!(childs.cpu_seconds > 0.0, "{childs:?}");
        assert!(run(Path::new("false"), &[]).is_err());
    }

    #[test]
    fn a_page_is_the_documents_share() {
        let document = |layered, looked_at, seconds, pages| Measured {
            pages,
            layered,
            looked_at,
            second_attempts: if layered { 0.0 } else { 1.0 },
            ours: Took { cpu_seconds: seconds, resident_mb: 120.0 },
            plain: (!layered).then_some(Took { cpu_seconds: 2.0, resident_mb: 0.0 }),
        };
        let measured =
            [document(false, false, 2.4, 1.0), document(true, false, 0.4, 2.0), document(true, true, 1.2, 1.0)];
        let said = report(Path::new("folder"), &measured);
        for line in ["1.20 ×", "0.20 s", "100 %", "120 MB"] {
            assert!(said.contains(line), "{said}");
        }
    }
}
