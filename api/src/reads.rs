//! The audit of reads. What a key looks at is kept before it is shown, and polls of one run by one key are one event
//! in ten minutes. Reads are added together: whatever comes while one statement is under way goes into the next, so
//! that a busy api pays for few of them and nobody waits for company.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use shared::store::api_keys::Caller;
use shared::store::audit::{self, Event, ONE_READ, Read};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::request::RequestContext;
use crate::state::App;

/// Reads in one statement, at most.
const MOST: usize = 500;

/// Reads that are remembered, at most; of what is forgotten the database knows.
const REMEMBERED: usize = 50_000;

/// A key, what it looked at, and of which run.
type Known = (Uuid, &'static str, Uuid);

/// Reads that were kept a moment ago, and those that wait to be.
#[derive(Debug, Default)]
pub struct Reads {
    known: Mutex<HashMap<Known, Instant>>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    asks: Vec<Ask>,
    /// Somebody adds them.
    attended: bool,
}

#[derive(Debug)]
struct Ask {
    read: Read,
    /// Whether it was kept.
    answer: oneshot::Sender<bool>,
}

/// Keeps that a key looked at a run.
///
/// # Errors
/// 503: what cannot be kept is not shown.
pub async fn keep(app: &App, read: Read) -> Result<(), Problem> {
    let known = (read.actor, read.action, read.run_id);
    if app.reads.knows(&known, Instant::now()) {
        return Ok(());
    }
    let (answer, answered) = oneshot::channel();
    if app.reads.ask(Ask { read, answer }) {
        // A task of its own: a caller who hangs up takes the others' events with it otherwise.
        tokio::spawn(attend(Arc::clone(app)));
    }
    if answered.await != Ok(true) {
        return Err(Problem::new(Code::DatabaseUnavailable, "The database is unavailable; nothing was shown."));
    }
    app.reads.remember(known, Instant::now());
    Ok(())
}

/// Keeps that a caller asked for something that is of no one run. `client_id`: whose data it was answered with; none: of
/// all.
///
/// # Errors
/// 503: what cannot be kept is not shown.
pub async fn note(
    app: &App,
    caller: &Caller,
    context: &RequestContext,
    client_id: Option<Uuid>,
    action: &'static str,
    details: Value,
) -> Result<(), Problem> {
    let actor = caller.key_id.to_string();
    let (run_id, ip_address, outcome) = (None, context.ip_address, "done");
    let event = Event { client_id, actor: &actor, action, run_id, ip_address, outcome, details };
    Ok(audit::add(&app.pool, &event).await?)
}

/// Adds what waits until nothing does.
async fn attend(app: App) {
    while let Some(asks) = app.reads.next() {
        let reads: Vec<Read> = asks.iter().map(|ask| ask.read.clone()).collect();
        let added = audit::add_reads(&app.pool, &reads).await;
        if let Err(error) = &added {
            tracing::warn!(%error, reads = reads.len(), "reads cannot be kept in the audit");
        }
        for ask in asks {
            // Whoever hung up needs no answer.
            let _ = ask.answer.send(added.is_ok());
        }
    }
}

impl Reads {
    fn knows(&self, known: &Known, now: Instant) -> bool {
        let kept = lock(&self.known);
        kept.get(known).is_some_and(|since| now.saturating_duration_since(*since) < ONE_READ)
    }

    fn remember(&self, known: Known, now: Instant) {
        let mut kept = lock(&self.known);
        if kept.len() >= REMEMBERED {
            kept.retain(|_, since| now.saturating_duration_since(*since) < ONE_READ);
        }
        if kept.len() < REMEMBERED {
            // The first of them: the ten minutes do not begin again with each poll.
            kept.entry(known)
                .and_modify(|since| {
                    if now.saturating_duration_since(*since) >= ONE_READ {
                        *since = now;
                    }
                })
                .or_insert(now);
        }
    }

    /// Puts it among those that wait; true: nobody attends to them yet.
    fn ask(&self, ask: Ask) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.asks.push(ask);
        !std::mem::replace(&mut waiting.attended, true)
    }

    /// Those that are next; none: nobody waits, and nobody attends any more.
    fn next(&self) -> Option<Vec<Ask>> {
        let mut waiting = lock(&self.waiting);
        if waiting.asks.is_empty() {
            waiting.attended = false;
            return None;
        }
        let rest = waiting.asks.len().min(MOST);
        let later = waiting.asks.split_off(rest);
        Some(std::mem::replace(&mut waiting.asks, later))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Known = (Uuid::from_u128(1), "run.read", Uuid::from_u128(2));

    #[test]
    fn polls_of_ten_minutes_are_one_read_and_the_next_is_another() {
        let (reads, now) = (Reads::default(), Instant::now());
        assert!(!reads.knows(&POLL, now));
        reads.remember(POLL, now);
        reads.remember(POLL, now + ONE_READ / 2);
        assert!(reads.knows(&POLL, now + ONE_READ / 2));
        assert!(!reads.knows(&POLL, now + ONE_READ));
        reads.remember(POLL, now + ONE_READ);
        assert!(reads.knows(&POLL, now + ONE_READ + ONE_READ / 2));
        assert!(!reads.knows(&(POLL.0, "document.read", POLL.2), now), "another part is another read");
    }

    #[test]
    fn one_attends_to_all_that_wait() {
        let reads = Reads::default();
        let ask = || {
            let read = Read { client_id: Uuid::nil(), actor: POLL.0, action: POLL.1, run_id: POLL.2, ip_address: None };
            Ask { read, answer: oneshot::channel().0 }
        };
        assert!(reads.ask(ask()));
        assert!(!reads.ask(ask()));
        assert_eq!(reads.next().map(|asks| asks.len()), Some(2));
        assert!(!reads.ask(ask()), "is still attended to");
        assert_eq!(reads.next().map(|asks| asks.len()), Some(1));
        assert!(reads.next().is_none());
        assert!(reads.ask(ask()), "the next one is attended to again");
    }
}
