//! The reference: what is owed, and what each run has come to, as the statements must leave it.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// Claims that a run may have.
pub const ATTEMPTS: u32 = 3;

/// A run and what is owed of it: `run`, `callback` or `erase`.
pub type Owed = (Uuid, &'static str);

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not published.
    Waiting,
    /// Published, and nobody has it.
    Published,
    /// Somebody has it, by this token.
    Leased(Uuid),
}

impl Place {
    /// As the audit of a cancellation names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Leased(_) => "leased",
        }
    }
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub job_id: Uuid,
    /// Where it is.
    pub place: Place,
    /// Of which generation.
    pub generation: i32,
    /// Claims that count.
    pub attempts: i32,
    /// Publishings.
    pub publish_no: i32,
}

impl Job {
    /// One that was just made.
    pub fn new(job_id: Uuid, generation: i32) -> Self {
        Self { job_id, place: Place::Waiting, generation, attempts: 0, publish_no: 0 }
    }
}

/// What a run has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `processing`, `success` or `error`.
    pub status: String,
    /// Its newest generation.
    pub generation: i32,
    /// The error that it ended with.
    pub error_code: Option<String>,
    /// Its caller asked to be told of its end.
    pub told: bool,
    /// Events that were made of it.
    pub events: i32,
}

impl Run {
    /// Whether its client may have it tried again: not after what trying again cannot help.
    pub fn callers_may_retry(&self) -> bool {
        !matches!(self.error_code.as_deref(), Some("UNKNOWN_ERROR" | "CANCELLED"))
    }
}

/// All that can be compared with the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Jobs.
    pub owed: BTreeMap<Owed, Job>,
    /// Runs that are there.
    pub runs: BTreeMap<Uuid, Run>,
    /// Results that were written: the run and its generation.
    pub results: BTreeSet<(Uuid, i32)>,
    /// Generations that were cancelled, and the state that the audit says their job was in.
    pub cancelled: BTreeMap<(Uuid, i32), &'static str>,
}

impl Reference {
    /// The job that a token holds now.
    pub fn held(&self, owed: Owed, token: Uuid) -> Option<&Job> {
        self.owed.get(&owed).filter(|job| job.place == Place::Leased(token))
    }

    /// What holds in every state, whatever led to it.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self) -> Result<(), String> {
        for (run_id, run) in &self.runs {
            let job = self.owed.get(&(*run_id, "run"));
            if (run.status == "processing") != job.is_some() {
                return Err(format!("the run is {} and its job is {job:?}", run.status));
            }
            if let Some(job) = job
                && (job.generation != run.generation || job.attempts < 0 || job.attempts.unsigned_abs() > ATTEMPTS)
            {
                return Err(format!("{job:?} of {run:?}"));
            }
        }
        let erased = self.owed.keys().find(|(run_id, kind)| *kind != "erase" && !self.runs.contains_key(run_id));
        erased.map_or(Ok(()), |(_, kind)| Err(format!("an erased run owes a {kind}")))
    }
}
