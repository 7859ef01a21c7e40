//! The only place with SQL: a module for each table, queries checked by the compiler.
//!
//! Every stored or compared time is the database's `now()`: a process whose clock is wrong can neither
//! lengthen a lease nor shorten a pause.

pub mod duties;
mod error;
pub mod jobs;
pub mod months;
mod pool;
pub mod runs;
pub mod workers;

pub use error::StoreError;
pub use pool::{Pool, connect, migrate, pending_migrations, ping};
