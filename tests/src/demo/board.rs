//! Shows where each document is while it works: a table redrawn in place on a terminal, a line for
//! each change elsewhere.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where one document is.
#[derive(Clone, Debug)]
struct Row {
    file: String,
    stage: String,
    since: Instant,
    ended: Option<Instant>,
}

/// The progress of all documents.
#[derive(Debug)]
pub struct Board {
    rows: Vec<Row>,
    width: usize,
    drawn: usize,
    /// Columns of the terminal; `None` where lines are written instead.
    columns: Option<usize>,
    start: Instant,
}

impl Board {
    /// A board for these files, live where standard output is a terminal that is high enough.
    pub fn new(files: &[&str]) -> Self {
        let now = Instant::now();
        let size = terminal_size();
        Self {
            rows: files
                .iter()
                .map(|file| Row { file: (*file).to_owned(), stage: "waiting".to_owned(), since: now, ended: None })
                .collect(),
            width: files.iter().map(|file| file.chars().count()).max().unwrap_or(0),
            drawn: 0,
            columns: size.filter(|(lines, _)| files.len() + 2 < *lines).map(|(_, columns)| columns),
            start: now,
        }
    }

    /// Notes that a document has come to a stage.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn moved(&mut self, index: usize, stage: &str, over: bool) -> io::Result<()> {
        let now = Instant::now();
        let row = &mut self.rows[index];
        if row.stage == "waiting" {
            row.since = now;
        }
        if row.stage == stage {
            return Ok(());
        }
        stage.clone_into(&mut row.stage);
        row.ended = over.then_some(now);
        if self.columns.is_some() {
            return self.draw();
        }
        let seconds = now.duration_since(self.start).as_secs_f64();
        let row = &self.rows[index];
        writeln!(io::stdout(), "{seconds:7.1} s  {:width$}  {}", row.file, row.stage, width = self.width)
    }

    /// Draws the table anew over the one before; nothing where lines are written.
    ///
    /// # Errors
    /// Where standard output is gone.
    pub fn draw(&mut self) -> io::Result<()> {
        let Some(columns) = self.columns else {
            return Ok(());
        };
        let now = Instant::now();
        let mut text = String::new();
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for row in &self.rows {
            let line = line(row, self.width, now);
            text.extend(line.chars().take(columns.saturating_sub(1)));
            text.push_str("\x1b[K\n");
        }
        self.drawn = self.rows.len();
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

const STAGES: [&str; 7] = ["queued", "acquire", "read", "classify", "extract", "validate", "done"];

fn line(row: &Row, width: usize, now: Instant) -> String {
    let reached = STAGES.iter().position(|stage| *stage == row.stage);
    let marks: String = match (reached, row.ended) {
        (_, Some(_)) => "■".repeat(STAGES.len()),
        (Some(at), None) => "■".repeat(at) + "▶" + &"·".repeat(STAGES.len() - at - 1),
        (None, None) => "·".repeat(STAGES.len()),
    };
    let seconds = row.ended.unwrap_or(now).duration_since(row.since).as_secs_f64();
    let seconds = if row.stage == "waiting" { 0.0 } else { seconds };
    format!("  {:width$}  {marks}  {seconds:6.1} s  {}", row.file, row.stage)
}

/// Lines and columns of the terminal; none where standard output is none.
pub fn terminal_size() -> Option<(usize, usize)> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let output = Command::new("stty").arg("size").stdin(Stdio::inherit()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (lines, columns) = text.trim().split_once(' ')?;
    Some((lines.parse().ok()?, columns.parse().ok()?))
}
