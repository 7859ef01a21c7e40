//! What the api and the workers both speak: the pure domain, the store (the only place with SQL),
//! the queue (the only place that knows AMQP), documents, settings and telemetry.

pub mod domain;
pub mod settings;
pub mod store;
