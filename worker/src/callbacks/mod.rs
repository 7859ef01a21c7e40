//! Delivering callbacks (contract, section 3): signing, sending one event once, and when to try again.
//! Jobs, rows and secrets are the engine's; what is here is handed all it needs.

mod deliver;
mod hosts;
mod resolver;
mod schedule;
mod sender;
mod signing;
mod test_event;

pub use deliver::Deliver;
pub use schedule::next_pause;
pub use sender::{Attempt, AttemptOutcome, Delivery, NotSent, Sender};
pub use signing::signature;
pub use test_event::test_event;
