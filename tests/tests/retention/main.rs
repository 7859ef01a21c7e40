//! The life of the record: what goes when, by way of the archive, and what is erased everywhere.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

mod archive;
mod crashes;
mod erasing;
mod export;
mod house;
mod terms;
