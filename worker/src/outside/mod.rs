//! What is called outside: OCR and the model over HTTP, callers' endpoints. One client, one way to read a
//! bounded answer, one account of what went wrong, and a breaker before each service.

mod breaker;
mod call;
mod service;

pub use breaker::{Breaker, Entry, Pass, RULES, Rules, Trouble};
pub use call::{CallError, client, record, span};
pub use service::{Bounds, Gate, Service, gate, on_behalf_of};
