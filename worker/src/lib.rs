//! The worker: takes jobs, runs the pipeline, delivers callbacks, keeps house.

pub mod analysis;
pub mod callbacks;
pub mod document;
pub mod imaging;
pub mod ocr;
pub mod outside;
pub mod sandbox;
