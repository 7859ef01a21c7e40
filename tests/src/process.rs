//! A child process with its output in a file: shown when a test fails, killed when it is dropped.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Environment variables of a child. It gets these, `PATH`, `HOME`, `LANG` and nothing else, so that what
/// the caller's shell happens to set changes no test.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// No variables at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `name` set to `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// The variables and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`, if set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A running (or ended) child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `program`; its output is appended to the file `log`. It leads a process group of its
    /// own, so that Ctrl-C in a terminal reaches only us, who end it in order.
    pub fn start(program: &Path, arguments: &[&str], environment: &Environment, log: &Path) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        for name in ["PATH", "HOME", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Ok(Self {
            name: program.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            child: command.envs(&environment.0).spawn()?,
            log: log.to_owned(),
            status: None,
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Sends a signal (`libc::SIGTERM`, `SIGSTOP`, …) unless it has ended.
    pub fn signal(&mut self, signal: i32) {
        if self.ended().is_some() {
            return;
        }
        let Ok(id) = libc::pid_t::try_from(self.child.id()) else {
            return;
        };
        #[expect(unsafe_code, reason = "the standard library sends SIGKILL only")]
        // SAFETY: `kill` takes two integers; the child is not reaped yet, so the id is still its own.
        unsafe {
            libc::kill(id, signal);
        }
    }

    /// Waits up to `limit` for the end; `None` when it still runs then.
    pub async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let end = tokio::time::Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if tokio::time::Instant::now() >= end {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGTERM, and SIGKILL where that did not end it within `limit`. Returns how it ended.
    pub async fn stop(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.signal(libc::SIGTERM);
        if let Some(status) = self.wait(limit).await {
            return Some(status);
        }
        self.kill();
        self.status
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        if self.ended().is_none() && self.child.kill().is_ok() {
            self.status = self.child.wait().ok();
        }
    }

    /// All it has printed so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last `lines` lines it printed.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprint_tail(&self.name, &self.log_tail(60));
        }
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it with the failed test")]
fn eprint_tail(name: &str, tail: &str) {
    eprintln!("---- last lines of {name} ----\n{tail}");
}
