//! Longer forms of what shorter tests cover, for `make test-long`.

mod cluster;
mod documents;
mod faults;
