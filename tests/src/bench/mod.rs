//! `make bench`: what the whole system costs and how long it takes, of release builds on the production
//! path, with stand-ins for the OCR service and the model. deploy/local/bench.sh calls it.

pub mod at_once;
pub mod cost;
pub mod document;
pub mod facts;
pub mod in_flight;
pub mod load;
pub mod machine;
pub mod model;
pub mod options;
pub mod procfs;
pub mod reading;
pub mod report;
pub mod stack;
pub mod start;
pub mod statistics;
pub mod steady;
