//! `rb-ocr import`: trees of the system before this one become runs of the record, by the real command.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

mod bad_folders;
mod house;
mod interrupted;
mod vintages;
