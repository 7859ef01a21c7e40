//! What the api and the workers both speak: the pure domain, the store (the only place with SQL),
//! the queue (the only place that knows AMQP), documents, settings and telemetry.

pub mod access;
pub mod archive;
pub mod audit_head;
pub mod budgets;
pub mod callback_body;
pub mod callback_target;
pub mod clock;
pub mod documents;
pub mod domain;
pub mod ended;
pub mod export;
pub mod hex;
pub mod legacy;
pub mod paused;
pub mod queue;
pub mod relay;
pub mod retention;
pub mod retry;
pub mod retry_after;
pub mod run_view;
pub mod searched;
pub mod secrets;
pub mod seed;
pub mod settings;
pub mod sha256;
pub mod store;
pub mod telemetry;
pub mod tls;
