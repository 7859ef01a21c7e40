//! The names of queues and exchanges. Tests and second systems on one broker have another prefix.

use crate::store::jobs::Lane;

/// Names with one prefix.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// Names that begin with `prefix`.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The queue of a lane. deploy/rabbitmq holds the policies that these names match.
    pub fn lane(&self, lane: Lane) -> String {
        format!("{}.{}", self.prefix, lane.as_str())
    }

    /// The exchange and the queue of messages that cannot be read, or were delivered too often.
    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The transient exchange of finished runs and stage events.
    pub fn events(&self) -> String {
        format!("{}.events", self.prefix)
    }
}
