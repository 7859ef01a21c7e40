//! A child and everything that it started.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The process group of a child; whatever of it still runs is killed when this is dropped.
pub(super) struct Group {
    leader: Option<libc::pid_t>,
    home: PathBuf,
    ended: bool,
}

impl Group {
    /// The group that `leader` leads. `home` is the child's own temporary folder, by which a
    /// process that left the group is still known.
    pub(super) fn new(leader: Option<u32>, home: &Path) -> Self {
        let leader = leader.and_then(|pid| libc::pid_t::try_from(pid).ok()).filter(|pid| *pid > 1);
        Self { leader, home: home.to_owned(), ended: false }
    }

    /// Kills what is left of the group.
    #[expect(unsafe_code, reason = "there is no safe wrapper of killpg in the standard library")]
    pub(super) fn kill(&mut self) {
        if let Some(leader) = self.leader {
            // SAFETY: killpg has no memory preconditions. The number is that of our own child's
            // group, which the kernel does not give away while a process of the group is left.
            unsafe { libc::killpg(leader, libc::SIGKILL) };
        }
    }

    /// The child has ended in order and its pipes are closed.
    pub(super) fn ended(&mut self) {
        self.ended = true;
    }

    /// Kills processes that left the group (`setsid`) but carry the child's folder in their
    /// environment, which they inherited.
    #[expect(unsafe_code, reason = "there is no safe wrapper of kill in the standard library")]
    fn kill_strays(&self) {
        let mark = [b"TMPDIR=", self.home.as_os_str().as_bytes(), b"\0"].concat();
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return;
        };
        for process in processes.flatten() {
            let name = process.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<libc::pid_t>().ok()) else {
                continue;
            };
            let Ok(environment) = std::fs::read(process.path().join("environ")) else {
                continue;
            };
            if pid > 1 && environment.windows(mark.len()).any(|window| window == mark) {
                // SAFETY: kill has no memory preconditions.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
            self.kill_strays();
        }
    }
}
