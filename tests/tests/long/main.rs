//! Longer forms of what shorter tests cover, for `make test-long`.

mod documents;
mod faults;
