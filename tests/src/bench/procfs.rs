//! What the kernel knows of processes: their CPU time with that of all they have started, and their memory.

use std::collections::HashMap;

/// A tick of `/proc/PID/stat` in milliseconds: `USER_HZ` is 100 wherever this is measured.
const TICK_MS: f64 = 10.0;

/// One process, from `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its id.
    pub id: u32,
    /// Who started it.
    pub parent: u32,
    /// Ticks of its own, in the kernel and out of it, and of its children that have ended.
    pub ticks: u64,
}

impl Stat {
    /// Reads one line; `None` where it is none.
    pub fn parse(line: &str) -> Option<Self> {
        // The name may hold spaces and brackets, so what follows is behind the last bracket.
        let (id, rest) = line.split_once(" (")?;
        let fields: Vec<&str> = rest.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        // utime, stime, cutime, cstime are fields 14 to 17 of the line; the state, our first, is the third.
        let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
        Some(Self { id: id.trim().parse().ok()?, parent: u32::try_from(number(1)?).ok()?, ticks })
    }
}

/// All processes at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot(HashMap<u32, Stat>);

impl FromIterator<Stat> for Snapshot {
    fn from_iter<T: IntoIterator<Item = Stat>>(stats: T) -> Self {
        Self(stats.into_iter().map(|stat| (stat.id, stat)).collect())
    }
}

impl Snapshot {
    /// Of this machine, now.
    pub fn take() -> Self {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbered = processes.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
        numbered.filter_map(|entry| Stat::parse(&std::fs::read_to_string(entry.path().join("stat")).ok()?)).collect()
    }

    /// Who started a process.
    pub fn parent(&self, id: u32) -> Option<u32> {
        Some(self.0.get(&id)?.parent)
    }

    /// CPU milliseconds of a process and of everything that it has started, but for `without`.
    pub fn cpu_ms(&self, root: u32, without: &[u32]) -> f64 {
        self.ticks(root, without) as f64 * TICK_MS
    }

    fn ticks(&self, root: u32, without: &[u32]) -> u64 {
        if without.contains(&root) {
            return 0;
        }
        let own = self.0.get(&root).map_or(0, |stat| stat.ticks);
        let children = self.0.values().filter(|stat| stat.parent == root && stat.id != root);
        own + children.map(|child| self.ticks(child.id, without)).sum::<u64>()
    }
}

/// A line of `/proc/PID/status` that is told in KiB, such as `VmRSS`.
pub fn status_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Resident memory of a process in MB (10⁶ bytes), now.
pub fn resident_mb(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    Some(status_kib(&status, "VmRSS")? as f64 * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let line = "123 (a) b (c)) S 7 123 123 0 -1 4194560 9 8 0 0 11 22 33 44 20 0 1 0 500 1 2";
        assert_eq!(Stat::parse(line), Some(Stat { id: 123, parent: 7, ticks: 110 }));
        assert_eq!(Stat::parse("123 (a) S 7"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn cpu_time_is_that_of_all_descendants_but_those_that_are_left_out() {
        let stat = |id, parent, ticks| Stat { id, parent, ticks };
        let snapshot: Snapshot =
            [stat(1, 0, 1000), stat(10, 1, 1), stat(11, 10, 2), stat(12, 11, 4), stat(13, 10, 8)].into_iter().collect();
        assert_eq!(snapshot.cpu_ms(10, &[]), 150.0);
        assert_eq!(snapshot.cpu_ms(10, &[13]), 70.0);
        assert_eq!(snapshot.cpu_ms(99, &[]), 0.0);
    }

    #[test]
    fn this_process_is_found_with_its_parent_and_its_memory() {
        let snapshot = Snapshot::take();
        assert_eq!(snapshot.parent(std::process::id()), Some(std::os::unix::process::parent_id()));
        assert!(resident_mb(std::process::id()).is_some_and(|mb| mb > 1.0));
    }

    #[test]
    fn memory_is_found_by_its_whole_name() {
        let status = "VmRSSX:\t 1 kB\nVmRSS:\t   2048 kB\nThreads:\t3\n";
        assert_eq!(status_kib(status, "VmRSS"), Some(2048));
        assert_eq!(status_kib(status, "Threads"), None);
    }
}
