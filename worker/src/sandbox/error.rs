//! How a child can go wrong.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Why a child gave no result.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It did not end in its time. That may be the file's doing or a busy machine's.
    #[error("the program did not end in time")]
    TimedOut,
    /// It wrote more than allowed.
    #[error("the program wrote more than allowed")]
    TooMuchOutput,
    /// It ended with an error, or a limit or a crash ended it.
    #[error("the program failed: {}{stderr}", ending(*.status))]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The end of its error output, without anything that may come from the document.
        stderr: String,
    },
    /// It could not be started, or its pipes failed: this machine's fault.
    #[error("the program could not be run: {0}")]
    Spawn(#[from] std::io::Error),
    /// The worker is going down.
    #[error("no more programs are started, the worker is going down")]
    ShuttingDown,
}

impl SandboxError {
    pub(super) fn failed(status: ExitStatus, stderr: &[u8]) -> Self {
        Self::Failed { status, stderr: without_document_text(stderr) }
    }

    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::TooMuchOutput => "too_much_output",
            Self::Failed { .. } => "failed",
            Self::Spawn(_) => "not_started",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// Whether the file the child worked on is to blame, so that another try gives the same: it
    /// ended with an error of its own, crashed, or used up CPU, memory or output. A child that somebody
    /// killed, that could not start or that was late may do better next time.
    #[must_use]
    pub fn is_the_files_fault(&self) -> bool {
        match self {
            Self::TooMuchOutput => true,
            Self::Failed { status, .. } => !matches!(status.signal(), Some(libc::SIGKILL | libc::SIGTERM)),
            Self::TimedOut | Self::Spawn(_) | Self::ShuttingDown => false,
        }
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code} "),
        (None, Some(signal)) => format!("ended by signal {signal} "),
        (None, None) => String::new(),
    }
}

/// The last words of an error output, less what may have come out of the document: everything
/// quoted or in brackets, every digit, everything that is not ASCII.
fn without_document_text(stderr: &[u8]) -> String {
    const KEPT: usize = 200;
    let mut closing: Option<char> = None;
    let mut safe = String::new();
    for letter in String::from_utf8_lossy(stderr).chars() {
        if letter == '\n' {
            closing = None;
            safe.push(' ');
        } else if let Some(end) = closing {
            if letter == end {
                closing = None;
            }
        } else {
            closing = match letter {
                '\'' | '"' | '`' => Some(if letter == '`' { '\'' } else { letter }),
                '(' => Some(')'),
                '<' => Some('>'),
                '[' => Some(']'),
                _ => None,
            };
            if closing.is_some() {
                safe.push('…');
            } else if letter.is_ascii_digit() {
                safe.push('#');
            } else if letter.is_ascii_graphic() || letter == ' ' {
                safe.push(letter);
            }
        }
    }
    let safe = safe.trim();
    let skip = safe.chars().count().saturating_sub(KEPT);
    safe.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_output_is_told_without_what_a_document_says() {
        let stderr = "Syntax Error (1234): Unknown operator 'Иванов'\nCommand Line: 'ИИН 990101300123 Ivanov\n\
                      Error: 990101300123 Петров";
        let told = without_document_text(stderr.as_bytes());
        assert_eq!(told, "Syntax Error …: Unknown operator … Command Line: … Error: ############");
    }

    #[test]
    fn only_the_end_of_a_long_error_output_is_kept() {
        let told = without_document_text("x".repeat(5000).as_bytes());
        assert_eq!(told.len(), 200);
    }
}
