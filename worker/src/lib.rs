//! The worker: takes jobs, runs the pipeline, delivers callbacks, keeps house.

pub mod callbacks;
