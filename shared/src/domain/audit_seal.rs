//! The hash that seals an event of the audit, and what is wrong with a chain of them. Anybody who has the rows can
//! compute it again: docs/operations.md says how.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A hash of the chain.
pub type Hash = [u8; 32];

/// What the first event's hash stands on.
pub const BEGINNING: Hash = [0; 32];

/// What is hashed begins with this, so that no other use of the same bytes gives the same hash.
const LABEL: &[u8] = b"rb-ocr audit 1";

/// An event as it is sealed: every column of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEvent {
    /// Its id.
    pub event_id: Uuid,
    /// Microseconds since 1970.
    pub at_micros: i64,
    /// Whose data or settings.
    pub client_id: Option<Uuid>,
    /// Who did it.
    pub actor: String,
    /// What.
    pub action: String,
    /// With which run.
    pub run_id: Option<Uuid>,
    /// From where, as PostgreSQL writes an inet.
    pub ip_address: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// The rest, as PostgreSQL writes a jsonb.
    pub details: String,
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From 1.
    pub number: i64,
    /// Which event.
    pub event_id: Uuid,
    /// Its seal.
    pub hash: Hash,
    /// The seal before.
    pub previous_hash: Hash,
}

/// What is wrong with one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what was sealed.
    Changed,
    /// It was sealed and is gone.
    Missing,
    /// Its link does not follow on the one before: links were taken away, added or put in another order.
    OutOfOrder,
    /// It was never sealed, though it is old enough.
    Unsealed,
}

impl Fault {
    /// A stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::Unsealed => "unsealed",
        }
    }
}

/// The seal of an event with this number after this hash. Each part is preceded by its length (8 bytes, big-endian;
/// all bits set where it is null), so that no two events give the same bytes.
#[must_use]
pub fn seal(number: i64, previous: &Hash, event: &SealedEvent) -> Hash {
    let mut hasher = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        hasher.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
        hasher.update(bytes.unwrap_or_default());
    };
    part(Some(LABEL));
    part(Some(&number.to_be_bytes()));
    part(Some(previous));
    part(Some(event.event_id.as_bytes()));
    part(Some(&event.at_micros.to_be_bytes()));
    part(event.client_id.as_ref().map(|id| &id.as_bytes()[..]));
    part(Some(event.actor.as_bytes()));
    part(Some(event.action.as_bytes()));
    part(event.run_id.as_ref().map(|id| &id.as_bytes()[..]));
    part(event.ip_address.as_ref().map(|address| address.as_bytes()));
    part(Some(event.outcome.as_bytes()));
    part(Some(event.details.as_bytes()));
    hasher.finalize().into()
}

/// Seals events one after the other, from the end of a chain on.
#[must_use]
pub fn seal_all(mut number: i64, mut hash: Hash, events: &[SealedEvent]) -> Vec<Link> {
    let link = |event: &SealedEvent| {
        number += 1;
        let previous_hash = std::mem::replace(&mut hash, BEGINNING);
        hash = seal(number, &previous_hash, event);
        Link { number, event_id: event.event_id, hash, previous_hash }
    };
    events.iter().map(link).collect()
}

/// Walks a chain link by link and says what is wrong.
#[derive(Clone, Debug)]
pub struct Walk {
    number: i64,
    hash: Hash,
}

impl Walk {
    /// After this link, which is believed.
    #[must_use]
    pub const fn after(number: i64, hash: Hash) -> Self {
        Self { number, hash }
    }

    /// Where it stands.
    #[must_use]
    pub const fn at(&self) -> (i64, Hash) {
        (self.number, self.hash)
    }

    /// Takes the next link with its event, if that is there.
    pub fn step(&mut self, link: &Link, event: Option<&SealedEvent>) -> Option<Fault> {
        let follows = link.number == self.number + 1 && link.previous_hash == self.hash;
        (self.number, self.hash) = (link.number, link.hash);
        match event {
            _ if !follows => Some(Fault::OutOfOrder),
            None => Some(Fault::Missing),
            Some(event) if seal(link.number, &link.previous_hash, event) != link.hash => Some(Fault::Changed),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u128) -> SealedEvent {
        SealedEvent {
            event_id: Uuid::from_u128(id),
            at_micros: 1_764_000_000_000_000,
            client_id: Some(Uuid::from_u128(7)),
            actor: "key".into(),
            action: "run.read".into(),
            run_id: None,
            ip_address: Some("10.0.0.1/32".into()),
            outcome: "done".into(),
            details: "{}".into(),
        }
    }

    fn faults(links: &[Link], events: &[SealedEvent]) -> Vec<(u128, Fault)> {
        let mut walk = Walk::after(0, BEGINNING);
        let found = links.iter().filter_map(|link| {
            let event = events.iter().find(|event| event.event_id == link.event_id);
            walk.step(link, event).map(|fault| (link.event_id.as_u128(), fault))
        });
        found.collect()
    }

    #[test]
    fn a_chain_that_nobody_touched_is_whole() {
        let events: Vec<_> = (1..=5).map(event).collect();
        assert_eq!(faults(&seal_all(0, BEGINNING, &events), &events), []);
    }

    #[test]
    fn a_changed_event_is_named_and_no_other() {
        let events: Vec<_> = (1..=5).map(event).collect();
        let links = seal_all(0, BEGINNING, &events);
        let changes: [fn(&mut SealedEvent); 8] = [
            |event| event.at_micros += 1,
            |event| event.client_id = None,
            |event| event.actor.push('x'),
            |event| event.action = "run.erased".into(),
            |event| event.run_id = Some(Uuid::nil()),
            |event| event.ip_address = None,
            |event| event.outcome = "refused".into(),
            |event| event.details = r#"{"runs": 1}"#.into(),
        ];
        for change in changes {
            let mut changed = events.clone();
            change(&mut changed[2]);
            assert_eq!(faults(&links, &changed), [(3, Fault::Changed)]);
        }
    }

    #[test]
    fn a_missing_event_is_named() {
        let events: Vec<_> = (1..=3).map(event).collect();
        let links = seal_all(0, BEGINNING, &events);
        assert_eq!(faults(&links, &[events[0].clone(), events[2].clone()]), [(2, Fault::Missing)]);
    }

    #[test]
    fn links_that_were_taken_away_or_exchanged_break_the_order() {
        let events: Vec<_> = (1..=4).map(event).collect();
        let links = seal_all(0, BEGINNING, &events);
        let without = [links[0].clone(), links[2].clone(), links[3].clone()];
        assert_eq!(faults(&without, &events), [(3, Fault::OutOfOrder)]);
        let mut exchanged = links.clone();
        (exchanged[1].event_id, exchanged[2].event_id) = (links[2].event_id, links[1].event_id);
        assert_eq!(faults(&exchanged, &events), [(3, Fault::Changed), (2, Fault::Changed)]);
    }

    #[test]
    fn a_later_link_goes_on_from_the_one_before() {
        let events: Vec<_> = (1..=6).map(event).collect();
        let mut links = seal_all(0, BEGINNING, &events[..3]);
        let last = links[2].clone();
        links.extend(seal_all(last.number, last.hash, &events[3..]));
        assert_eq!(faults(&links, &events), []);
    }

    #[test]
    fn where_one_part_ends_and_the_next_begins_is_part_of_the_hash() {
        let (mut one, mut other) = (event(1), event(1));
        (one.actor, one.action) = ("ab".into(), "c".into());
        (other.actor, other.action) = ("a".into(), "bc".into());
        assert_ne!(seal(1, &BEGINNING, &one), seal(1, &BEGINNING, &other));
    }
}
