//! Every route against a real PostgreSQL: each test has a database, a document store and an api of its own.

mod access;
mod auditing;
mod cancelling;
mod http;
mod idempotency;
mod intake;
mod limits;
mod listing;
mod reading;
mod searching;
mod service;
mod statistics;
mod terms;
mod waiting;
mod writing;
