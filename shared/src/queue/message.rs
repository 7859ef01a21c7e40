//! What a message holds: ids and a version, never anything of a document.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One job to claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    /// Version of this form.
    pub v: u8,
    /// Which job.
    pub job_id: Uuid,
    /// Which run it is about.
    pub run_id: Uuid,
}

impl JobMessage {
    /// The version that this program writes and reads.
    pub const VERSION: u8 = 1;

    /// A message of the current version.
    pub const fn new(job_id: Uuid, run_id: Uuid) -> Self {
        Self { v: Self::VERSION, job_id, run_id }
    }

    /// The bytes on the wire.
    pub fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).unwrap_or_default()
    }

    /// Reads a message; none: it is not one of ours, or of a version that this program does not know.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|message: &Self| message.v == Self::VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_back_and_nothing_else_is() {
        let message = JobMessage::new(Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(JobMessage::from_bytes(&message.to_bytes()), Some(message));
        assert_eq!(JobMessage::from_bytes(b"{}"), None);
        assert_eq!(JobMessage::from_bytes(b"not json"), None);
        let newer = String::from_utf8(message.to_bytes()).expect("JSON").replace("\"v\":1", "\"v\":9");
        assert_eq!(JobMessage::from_bytes(newer.as_bytes()), None);
    }
}
