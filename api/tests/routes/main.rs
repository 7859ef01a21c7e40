//! Every route against a real PostgreSQL: each test has a database, a document store and an api of its own.

mod access;
mod http;
mod idempotency;
mod intake;
mod listing;
mod reading;
mod service;
mod waiting;
mod writing;
