//! A run from its delivery to its settlement: claim, pipeline, finish, acknowledge. One place turns what came
//! of it into rows.

mod attempt;
mod duplicates;
mod ending;
mod handle;
mod pictures;
mod report;

pub use ending::Means;
pub use handle::handle;
pub(crate) use report::finished;
