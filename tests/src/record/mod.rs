//! The benchmark of the record: how long searches take on millions of runs, and what a run takes up.

pub mod bulk;
pub mod options;
pub mod questions;
pub mod sizes;
pub mod times;
pub mod values;
