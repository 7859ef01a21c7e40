//! What the tests of the whole system stand on: databases and queues of their own on the private
//! PostgreSQL and RabbitMQ, the real binaries as child processes, documents and callers, and the demo.

pub mod bare_pdf;
pub mod bench;
pub mod binaries;
pub mod caller;
#[path = "../chaos/mod.rs"]
pub mod chaos;
pub mod demo;
pub mod ledger;
pub mod old_tree;
pub mod own_services;
pub mod papers;
pub mod pooler;
pub mod process;
pub mod record;
pub mod records;
pub mod samples;
pub mod services;
pub mod stack;
pub mod standins;
pub mod until;
