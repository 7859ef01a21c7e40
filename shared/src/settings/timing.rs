//! Leases, pauses, budgets, bounds and terms.

use std::time::Duration;

use super::reader::Reader;
use super::value;

/// How long things may take and when they are tried again.
#[derive(Clone, Debug)]
pub struct Timing {
    /// `LEASE_SECONDS`.
    pub lease: Duration,
    /// `SHUTDOWN_SECONDS`: from SIGTERM to the end.
    pub shutdown: Duration,
    /// `RETRY_PAUSES`: before the second attempt, the third, …
    pub retry_pauses: Vec<Duration>,
    /// `RUN_WORK_BUDGET`: time under lease, summed over attempts.
    pub run_work_budget: Duration,
    /// `RUN_MAX_AGE`: since submission or retry.
    pub run_max_age: Duration,
}

impl Timing {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            lease: reader.required("LEASE_SECONDS", value::duration),
            shutdown: reader.required("SHUTDOWN_SECONDS", value::duration),
            retry_pauses: reader.required("RETRY_PAUSES", value::durations),
            run_work_budget: reader.required("RUN_WORK_BUDGET", value::duration),
            run_max_age: reader.required("RUN_MAX_AGE", value::duration),
        }
    }

    /// Claims that a run may have: the first and one after each pause.
    pub fn max_attempts(&self) -> u32 {
        u32::try_from(self.retry_pauses.len()).unwrap_or(u32::MAX - 1) + 1
    }

    pub(super) fn check(&self, reader: &mut Reader<'_>) {
        if self.lease < Duration::from_secs(3) {
            reader.disagree("LEASE_SECONDS", "must be 3 at least: a lease is renewed in thirds");
        }
        if self.shutdown < Duration::from_secs(1) {
            reader.disagree("SHUTDOWN_SECONDS", "must be 1 at least: what runs is given back within it");
        }
        if self.run_work_budget < self.lease {
            reader.disagree("RUN_WORK_BUDGET", "must not be shorter than LEASE_SECONDS");
        }
        if self.run_max_age < self.run_work_budget {
            reader.disagree("RUN_MAX_AGE", "must not be shorter than RUN_WORK_BUDGET");
        }
    }

    /// What is possible and may not be meant: said once, at start.
    pub fn doubts(&self) -> Vec<&'static str> {
        let pauses: Duration = self.retry_pauses.iter().sum();
        let doubts = [
            (pauses >= self.run_max_age, "RETRY_PAUSES add up to RUN_MAX_AGE or more: the last attempts never come"),
            (
                self.run_work_budget >= CONSUMER_TIMEOUT,
                "RUN_WORK_BUDGET is not shorter than RabbitMQ's consumer_timeout (30 minutes unless told): the \
                 broker may take a delivery back while its run is worked on",
            ),
            (
                self.shutdown > self.run_work_budget,
                "SHUTDOWN_SECONDS is longer than RUN_WORK_BUDGET: no run takes so long",
            ),
        ];
        doubts.into_iter().filter_map(|(doubtful, text)| doubtful.then_some(text)).collect()
    }
}

/// What RabbitMQ lets a delivery be unacknowledged unless it is told otherwise; a client cannot ask for it.
const CONSUMER_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Submissions in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Duration,
}

impl std::str::FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, seconds) = text.split_once('/').ok_or("must be COUNT/SECONDS, such as 600/60")?;
        let in_range = |part: &str| part.parse::<u32>().ok().filter(|n| (1..=1_000_000).contains(n));
        match (in_range(count), in_range(seconds)) {
            (Some(count), Some(seconds)) => Ok(Self { count, window: Duration::from_secs(seconds.into()) }),
            _ => Err("must be COUNT/SECONDS, such as 600/60".into()),
        }
    }
}

/// What is refused at intake.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `BACKLOG_MAX`: runs waiting, over which intake answers 503.
    pub backlog_max: usize,
    /// `RATE_LIMIT`: of a client that has none of its own.
    pub rate_limit: RateLimit,
}

impl Limits {
    /// Bytes of an upload (contract, section 2).
    pub const UPLOAD_BYTES: u64 = 50 * 1024 * 1024;

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            backlog_max: reader.required("BACKLOG_MAX", value::number_in(1..=100_000_000)),
            rate_limit: reader.required("RATE_LIMIT", str::parse),
        }
    }
}

/// How long things are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// `RETENTION_SUCCESS`.
    pub success: Duration,
    /// `RETENTION_ERROR`.
    pub error: Duration,
    /// `RETENTION_DOCUMENT`.
    pub document: Duration,
    /// `RETENTION_AUDIT`.
    pub audit: Duration,
}

impl Retention {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            success: reader.required("RETENTION_SUCCESS", value::duration),
            error: reader.required("RETENTION_ERROR", value::duration),
            document: reader.required("RETENTION_DOCUMENT", value::duration),
            audit: reader.required("RETENTION_AUDIT", value::duration),
        }
    }
}
