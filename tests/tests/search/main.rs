//! Searches: against a model in memory, by their plans on many runs, and what the words of a text are.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

mod indexes;
mod known;
mod pages;
mod plans;
mod words;
