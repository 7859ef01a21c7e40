//! Longer forms of what shorter tests cover, and what needs a server that is built first, for `make test-long`.

mod cluster;
mod documents;
mod faults;
mod model_server;
mod real_model;
