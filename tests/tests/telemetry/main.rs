//! What a running system tells of itself: one trace through all processes, logs with their ids, metrics as the
//! page says, and nothing of a person in any of it.

mod lines;
mod metrics;
mod privacy;
mod rig;
mod trace;
