//! The only place with SQL, one module per table or view. Statements are checked by the compiler
//! against the migrations; only listings with free filters are put together at run time.
//!
//! Every stored or compared time is the database's `now()`: a process whose clock is wrong can neither
//! lengthen a lease nor shorten a pause.

pub mod api_keys;
pub mod audit;
pub mod budgets;
pub mod callback_attempts;
pub mod callback_events;
pub mod callbacks;
pub mod cancel;
pub mod client_secrets;
pub mod clients;
pub mod dead_jobs;
pub mod duties;
pub mod erasures;
mod error;
pub mod export;
pub mod finish;
pub mod idempotency;
pub mod imports;
pub mod intake;
pub mod jobs;
pub mod llm_calls;
mod long_indexes;
pub mod months;
pub mod pages;
mod pool;
pub mod progress;
pub mod rate_windows;
pub mod retention;
pub mod retry;
pub mod runs;
pub mod search;
pub mod seed;
pub mod server;
pub mod stats;
pub mod stored_keys;
pub mod switches;
pub mod workers;

pub use error::StoreError;
pub use pool::{
    MIGRATIONS, Pool, Schema, connect, connect_read, migrate, now, pending_migrations, ping, reach, schema,
};
