//! What the tests of the whole system stand on: databases and queues of their own on the private
//! PostgreSQL and RabbitMQ, the real binaries as child processes, and the demo, which uses both.

pub mod bench;
pub mod binaries;
pub mod demo;
pub mod own_services;
pub mod process;
pub mod records;
pub mod services;
pub mod standins;
