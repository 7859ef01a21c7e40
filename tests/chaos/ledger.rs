//! What was promised to the callers: every submission that was answered 202, and what they did with it since.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use super::documents::Kind;

/// What a caller did with a run after it was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// Left it alone.
    #[default]
    Nothing,
    /// Asked for it to be cancelled, and was not told yet that it is.
    CancelAsked,
    /// Cancelled it, and was told that it is.
    Cancelled,
    /// Asked for it to be erased, and was not told yet that it is.
    EraseAsked,
    /// Erased it, and was told that it is.
    Erased,
}

/// One accepted submission.
#[derive(Clone, Debug)]
pub struct Promise {
    /// Its number, which is its key, its external id and its callback's path.
    pub number: u64,
    /// The run that the 202 named.
    pub run_id: String,
    /// What its document is.
    pub kind: Kind,
    /// When the 202 came.
    pub accepted_at: Instant,
    /// The model may have lied about it.
    pub lied_to: bool,
    /// What became of it since.
    pub since: Since,
    /// The finished run as a caller saw it first.
    pub seen: Option<Value>,
}

/// All promises, and what went wrong while they were made.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    promises: Vec<Promise>,
    broken: Vec<String>,
    refused: u64,
}

impl Ledger {
    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a promise down.
    pub fn promised(&self, promise: Promise) {
        self.pages().promises.push(promise);
    }

    /// Changes what is known of a promise.
    pub fn update(&self, number: u64, change: impl FnOnce(&mut Promise)) {
        if let Some(promise) = self.pages().promises.iter_mut().find(|promise| promise.number == number) {
            change(promise);
        }
    }

    /// The model lies: whatever is not known to have finished may be lied about.
    pub fn lied(&self) {
        self.pages()
            .promises
            .iter_mut()
            .filter(|promise| promise.seen.is_none())
            .for_each(|promise| promise.lied_to = true);
    }

    /// A promise was broken in a caller's sight.
    pub fn broken(&self, how: String) {
        self.pages().broken.push(how);
    }

    /// A submission was answered with no 202 and is tried again.
    pub fn refused(&self) {
        self.pages().refused += 1;
    }

    /// All promises so far.
    pub fn promises(&self) -> Vec<Promise> {
        self.pages().promises.clone()
    }

    /// What was broken in a caller's sight, and how many answers were no 202.
    pub fn troubles(&self) -> (Vec<String>, u64) {
        let pages = self.pages();
        (pages.broken.clone(), pages.refused)
    }
}
