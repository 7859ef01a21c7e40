//! The only place that knows AMQP. RabbitMQ delivers and PostgreSQL remembers: a message is ids and trace
//! context, it may be lost or come twice, and neither loses or doubles a run.

mod broker;
mod consume;
mod dead;
mod depth;
pub mod events;
pub mod inspect;
mod message;
mod names;
mod publish;
mod refusals;
mod session;

pub use broker::Broker;
pub use consume::{Delivered, LaneConsumer, Settle};
pub use dead::{DeadMessage, take_dead};
pub use depth::{Depth, depth};
pub use message::JobMessage;
pub use names::Names;
pub use publish::{NotTaken, Unconfirmed, publish_jobs};
pub use session::Session;

/// Something about the broker went wrong. Trying again with the next session always helps.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no session now.
    #[error("the broker is away")]
    Away,
    /// The broker or the way to it failed.
    #[error("the broker failed: {0}")]
    Failed(#[from] lapin::Error),
    /// It did not answer in time.
    #[error("the broker did not answer in time")]
    TimedOut,
}
