//! What a child may use.

use std::io;
use std::time::Duration;

use tokio::process::Command;

/// Limits of one child.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It is ended when it takes longer than this by the clock on the wall.
    pub wall_time: Duration,
    /// It is ended when it uses more CPU than this, in seconds.
    pub cpu_seconds: u64,
    /// Its whole address space, in bytes.
    pub memory_bytes: u64,
    /// A file that it writes is at most this long.
    pub file_bytes: u64,
    /// Its standard output is at most this long.
    pub output_bytes: u64,
}

impl Limits {
    /// The address space a child gets: Tesseract with two languages needs 250 MB for a page of 9
    /// megapixels, and the rule is 700 MB at most.
    pub const MEMORY: u64 = 700 << 20;

    /// For a program that looks at a document and answers in a few lines.
    pub const LOOK: Self = Self {
        wall_time: Duration::from_secs(20),
        cpu_seconds: 10,
        memory_bytes: Self::MEMORY,
        file_bytes: 0,
        output_bytes: 1 << 20,
    };

    /// For a program that extracts text or renders one page.
    pub const EXTRACT: Self = Self {
        wall_time: Duration::from_secs(60),
        cpu_seconds: 30,
        memory_bytes: Self::MEMORY,
        file_bytes: 64 << 20,
        output_bytes: 64 << 20,
    };

    /// For reading one page.
    pub const READ: Self = Self {
        wall_time: Duration::from_secs(180),
        cpu_seconds: 90,
        memory_bytes: Self::MEMORY,
        file_bytes: 16 << 20,
        output_bytes: 16 << 20,
    };

    /// Sets the limits in the child, between fork and exec.
    #[expect(unsafe_code, reason = "limits can be set on the child alone only between fork and exec")]
    pub(super) fn impose_on(self, command: &mut Command) {
        // SAFETY: `getpid` has no preconditions.
        let worker = unsafe { libc::getpid() };
        let resources = [
            (libc::RLIMIT_AS, self.memory_bytes),
            (libc::RLIMIT_CPU, self.cpu_seconds),
            (libc::RLIMIT_FSIZE, self.file_bytes),
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_NOFILE, 64),
        ];
        // SAFETY: the closure calls prctl, getppid and setrlimit only, all of them async-signal-safe,
        // and neither allocates nor takes a lock.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(io::Error::last_os_error());
                }
                // The worker may have died before the line above.
                if libc::getppid() != worker {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
                for (resource, most) in resources {
                    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
                    if libc::setrlimit(resource, &raw const limit) != 0 {
                        return Err(io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
    }
}
