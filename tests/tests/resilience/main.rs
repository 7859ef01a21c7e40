//! Workers that stop or die, services outside that fail, documents that crash or hang: the real binaries on real
//! PostgreSQL and RabbitMQ, with stand-ins for OCR, the model and the caller's endpoint.

mod away;
mod budgets;
mod crashes;
mod stopping;

/// What an OCR service reads in any document of these tests.
fn certificate_text() -> String {
    harness::papers::certificate()
}
