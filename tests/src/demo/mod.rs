//! `make demo`: the whole system on this machine, with sample documents going through it.

pub mod board;
pub mod client;
pub mod options;
pub mod report;
pub mod stack;
pub mod truth;
pub mod walk;
