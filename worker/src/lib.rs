//! The worker: takes jobs, runs the pipeline, delivers callbacks, keeps house.

pub mod analysis;
pub mod app;
pub mod artifacts;
pub mod callbacks;
pub mod claiming;
pub mod document;
mod erase;
pub mod health;
pub mod imaging;
pub mod lanes;
pub mod leases;
pub mod ocr;
pub mod outside;
mod patience;
pub mod pipeline;
pub mod runs;
pub mod sandbox;
pub mod scratch;
pub mod service;
mod upkeep;
