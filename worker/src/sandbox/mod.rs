//! Programs that touch a stranger's file run here and nowhere else: Poppler and Tesseract as
//! children with a bare environment, in their own process group, within limits of memory, CPU,
//! files, output and time, and ended together with everything that they started.
//!
//! - `OCR_PROCESSES` bounds how many run at once, over the whole worker process.
//! - A child dies with the worker, also when that is killed with SIGKILL (`PR_SET_PDEATHSIG`). The
//!   kernel ties this to the *thread* that forked, so one thread that lives as long as the sandbox
//!   does all the forking; a thread of the runtime's blocking pool would end after ten idle seconds
//!   and take running children along.
//! - Dropping the future of [`Sandbox::run`] kills the child as a time-out does.

mod error;
mod group;
mod limits;
mod spawner;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use shared::telemetry::Metrics;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Semaphore;

pub use error::SandboxError;
use group::Group;
pub use limits::Limits;
use spawner::Spawner;

/// Of a child's error output at most this much is kept.
const STDERR_KEPT: usize = 4 << 10;

/// A child that writes more than this to its error output is ended.
const STDERR_MAX: u64 = 1 << 20;

/// Runs children; cheap to clone, all clones share the slots.
#[derive(Clone)]
pub struct Sandbox {
    slots: Arc<Semaphore>,
    processes: usize,
    spawner: Spawner,
    metrics: Option<Metrics>,
}

/// One child to run.
#[derive(Debug)]
pub struct Task<'a> {
    /// The program, found on `PATH`.
    pub program: &'static str,
    /// Its arguments. File names are absolute, since the child's working folder is its own.
    pub arguments: Vec<OsString>,
    /// A folder of the run; the child's own temporary folder is made in it and removed afterwards.
    pub folder: &'a Path,
    /// What it may use.
    pub limits: Limits,
}

impl Sandbox {
    /// A sandbox for `processes` children at once (`OCR_PROCESSES`), at least one.
    ///
    /// # Errors
    ///
    /// When the thread that forks cannot be started.
    pub fn new(processes: usize) -> std::io::Result<Self> {
        let processes = processes.max(1);
        Ok(Self { slots: Arc::new(Semaphore::new(processes)), processes, spawner: Spawner::start()?, metrics: None })
    }

    /// Counts children and their waits.
    #[must_use]
    pub fn counted_by(self, metrics: Metrics) -> Self {
        metrics.set_ocr_children(0, self.processes);
        Self { metrics: Some(metrics), ..self }
    }

    /// How many children run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.processes.saturating_sub(self.slots.available_permits())
    }

    /// How many children run at once at most.
    #[must_use]
    pub const fn processes(&self) -> usize {
        self.processes
    }

    /// Waits for a slot, runs the child to its end and returns its standard output.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] tells a child that failed from one that could not be run.
    pub async fn run(&self, task: Task<'_>) -> Result<Vec<u8>, SandboxError> {
        let asked = Instant::now();
        let _slot = self.slots.acquire().await.map_err(|_| SandboxError::ShuttingDown)?;
        if let Some(metrics) = &self.metrics {
            metrics.ocr_child_waited(asked.elapsed());
        }
        let start = Instant::now();
        let done = self.run_in_slot(&task).await;
        if let Some(metrics) = &self.metrics {
            let outcome = done.as_ref().map_or_else(SandboxError::as_str, |_| "ok");
            metrics.child_ended(task.program, outcome, start.elapsed());
        }
        done
    }

    async fn run_in_slot(&self, task: &Task<'_>) -> Result<Vec<u8>, SandboxError> {
        let home = tempfile::Builder::new().prefix("child-").tempdir_in(task.folder)?;
        let mut command = tokio::process::Command::new(task.program);
        command
            .args(&task.arguments)
            .env_clear()
            .envs(environment(home.path()))
            .current_dir(home.path())
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        task.limits.impose_on(&mut command);

        let mut child = self.spawner.spawn(command).await?;
        let mut group = Group::new(child.id(), home.path());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let ended = async {
            tokio::try_join!(
                read_within(stdout, task.limits.output_bytes, task.limits.output_bytes as usize),
                read_within(stderr, STDERR_MAX, STDERR_KEPT),
                async {
                    let status = child.wait().await?;
                    // What the child left running would keep the pipes open.
                    group.kill();
                    Ok(status)
                },
            )
        };
        let (stdout, stderr, status) =
            tokio::time::timeout(task.limits.wall_time, ended).await.map_err(|_| SandboxError::TimedOut)??;
        group.ended();
        if status.success() { Ok(stdout) } else { Err(SandboxError::failed(status, &stderr)) }
    }
}

/// The whole environment of a child.
fn environment(home: &Path) -> Vec<(&'static str, OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let mut variables = vec![
        ("PATH", path),
        ("LC_ALL", OsString::from("C.UTF-8")),
        // Tesseract's threads gain little and fight for the cores with the other children.
        ("OMP_THREAD_LIMIT", OsString::from("1")),
        ("HOME", home.into()),
        ("TMPDIR", home.into()),
    ];
    variables.extend(std::env::var_os("TESSDATA_PREFIX").map(|folder| ("TESSDATA_PREFIX", folder)));
    variables
}

/// Reads to the end, keeps the first `kept` bytes and refuses more than `most`.
async fn read_within(pipe: Option<impl AsyncRead + Unpin>, most: u64, kept: usize) -> Result<Vec<u8>, SandboxError> {
    let Some(mut pipe) = pipe else {
        return Ok(Vec::new());
    };
    let (mut output, mut total) = (Vec::new(), 0u64);
    let mut buffer = vec![0u8; 64 << 10];
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(output);
        }
        total += read as u64;
        if total > most {
            return Err(SandboxError::TooMuchOutput);
        }
        let room = kept.saturating_sub(output.len());
        output.extend_from_slice(&buffer[..read.min(room)]);
    }
}

/// Arguments from texts and paths alike.
pub fn arguments<'a>(list: impl IntoIterator<Item = &'a dyn AsRef<OsStr>>) -> Vec<OsString> {
    list.into_iter().map(|argument| argument.as_ref().to_owned()).collect()
}
