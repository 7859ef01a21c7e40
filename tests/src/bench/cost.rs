//! CPU time of every process of the system, between two moments.

use std::time::Instant;

use anyhow::Context;

use super::procfs::Snapshot;
use super::stack::Stack;

/// The processes of the system, each with all that it starts.
#[derive(Clone, Debug)]
pub struct Processes {
    named: Vec<(String, u32)>,
    /// The backend by which we look at the database.
    ours: u32,
}

/// CPU milliseconds so far of each of the processes.
#[derive(Clone, Debug)]
pub struct Reading {
    at: Instant,
    cpu_ms: Vec<f64>,
}

/// What a stretch of time has cost.
#[derive(Clone, Debug)]
pub struct Spent {
    /// Its length.
    pub seconds: f64,
    /// CPU milliseconds of each process.
    pub cpu_ms: Vec<f64>,
}

impl Processes {
    /// Of a running system.
    ///
    /// # Errors
    /// Where the database or the broker is not a process of this machine.
    pub async fn of(stack: &mut Stack) -> anyhow::Result<Self> {
        let ours: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut stack.eyes).await?;
        let ours = u32::try_from(ours)?;
        // Every process of PostgreSQL is a child of its first.
        let postgres = Snapshot::take().parent(ours).context("PostgreSQL does not run on this machine")?;
        let file = crate::services::checkout().join(".local/rabbitmq/pid");
        let broker = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok());
        let broker = broker.context("RabbitMQ is not the private one: run `make up`")?;
        let mut named = vec![("api".to_owned(), stack.api.server.process.id())];
        for (at, worker) in stack.workers.iter().enumerate() {
            let name = if stack.workers.len() == 1 { "worker".to_owned() } else { format!("worker {}", at + 1) };
            named.push((name, worker.server.process.id()));
        }
        named.extend([("PostgreSQL".to_owned(), postgres), ("RabbitMQ".to_owned(), broker)]);
        Ok(Self { named, ours })
    }

    /// Their names, in the order of all figures.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// Reads all at once.
    pub fn read(&self) -> Reading {
        let (at, snapshot) = (Instant::now(), Snapshot::take());
        Reading { at, cpu_ms: self.named.iter().map(|(_, id)| snapshot.cpu_ms(*id, &[self.ours])).collect() }
    }
}

impl Reading {
    /// What was spent from then to now.
    pub fn until(&self, later: &Self) -> Spent {
        let cpu_ms = self.cpu_ms.iter().zip(&later.cpu_ms).map(|(before, after)| after - before).collect();
        Spent { seconds: (later.at - self.at).as_secs_f64(), cpu_ms }
    }
}

impl Spent {
    /// A run's part of each figure.
    pub fn per_run(&self, runs: u32) -> Vec<f64> {
        self.cpu_ms.iter().map(|ms| ms / f64::from(runs)).collect()
    }

    /// The same less what as much idle time costs.
    pub fn per_run_over(&self, idle: &Self, runs: u32) -> Vec<f64> {
        let share = self.seconds / idle.seconds;
        let busy = self.cpu_ms.iter().zip(&idle.cpu_ms).map(|(ms, idle)| ms - idle * share);
        busy.map(|ms| ms / f64::from(runs)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_taken_off_by_its_length() {
        let idle = Spent { seconds: 10.0, cpu_ms: vec![100.0, 0.0] };
        let busy = Spent { seconds: 5.0, cpu_ms: vec![250.0, 30.0] };
        assert_eq!(busy.per_run(10), [25.0, 3.0]);
        assert_eq!(busy.per_run_over(&idle, 10), [20.0, 3.0]);
    }
}
