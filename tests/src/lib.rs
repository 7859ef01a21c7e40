//! .

pub mod standins;
