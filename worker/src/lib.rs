//! The worker: takes jobs, runs the pipeline, delivers callbacks, keeps house.

pub mod document;
pub mod imaging;
pub mod ocr;
pub mod sandbox;
