//! Taking deliveries: how many of which lane are in hand at once.

mod lane;
mod runs;
mod shares;

pub use lane::{AsyncWork, run_lane};
pub use runs::run_runs;
