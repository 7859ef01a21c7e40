//! What dies, comes back: services that are away, restarted or crashed, and workers that are stopped or
//! killed in the middle, with real processes. Every submission that was accepted finishes exactly once.

mod away;
mod budgets;
mod crashes;
mod restarts;
mod starting;
mod stopping;
mod workers;
