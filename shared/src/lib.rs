//! What the api and the workers both speak: the pure domain, the store (the only place with SQL),
//! the queue (the only place that knows AMQP), documents, settings and telemetry.

pub mod callback_body;
pub mod domain;
pub mod run_view;
pub mod settings;
pub mod store;
