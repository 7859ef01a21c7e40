//! Listings of runs with free filters, newest first. Put together at run time, unlike every other statement:
//! each filter that is absent must be absent from the statement too, or no index would serve it.
//!
//! No one plan is good for a value that one run has and for one that half of them have. So a search is a few
//! statements, each of which does a bounded piece of work whatever the planner believes of the values:
//!
//! - `ordered` names the indexes that give runs in their order; `walk` reads a piece along one of them and keeps what
//!   fits. That is all for filters that an index answers in order, and the first look at all others.
//! - `names` takes all runs of a month with a rare name from the index of trigrams.
//! - `words` takes all runs of a span of time with words in their text, and makes the span wider or narrower by what
//!   it finds.
//!
//! What is frequent is found by the first look; what is rare is few to take. `slots` bounds how many searches run at
//! once and how long, so that none can hold up intake. One that is out of time answers with what it has found, and
//! the next page goes on where it stopped.

mod conditions;
mod names;
mod ordered;
mod pace;
mod slots;
mod snippets;
mod strategy;
mod walk;
mod words;

use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::{ErrorCode, Status};

pub use pace::Pace;
pub use slots::Slots;
pub use snippets::{HIT_BEGINS, HIT_ENDS, snippets};

/// Words of `q` that are looked for, at most.
pub const MAX_WORDS: usize = 10;

/// What is looked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose runs; all where none.
    pub client_id: Option<Uuid>,
    /// Where they stand.
    pub status: Option<Status>,
    /// What was decided.
    pub verdict: Option<bool>,
    /// Any of the errors.
    pub error_code: Option<ErrorCode>,
    /// Part of a name, normalised as `fio_search` is; of one or two letters: a whole word of it.
    pub fio_search: Option<String>,
    /// Words in the recognised text; each on any page.
    pub words: Vec<String>,
    /// The smallest id, from a time.
    pub from: Option<Uuid>,
    /// All ids are smaller, from a time.
    pub before: Option<Uuid>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// 12 digits.
    pub iin: Option<String>,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub run_ids: Vec<Uuid>,
    /// What is older than this has not been looked at yet; none: there is no more.
    pub next: Option<Uuid>,
}

/// At most `limit` runs, newest first, all of them older than `after`. Fewer than `limit` are the last ones, or, with
/// `next`, what could be found in the time that a search has.
///
/// # Errors
/// The database is unavailable, too many searches are running, or one statement alone took too long.
pub async fn page(
    pool: &Pool,
    slots: &Slots,
    filter: &Filter,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Page, StoreError> {
    let _slot = slots.take().await?;
    let pace = Pace::default();
    let mut session = slots::Session::begin(pool, pace.time).await?;
    let page = strategy::find(&mut session, filter, after, limit, &pace).await?;
    session.end().await?;
    Ok(page)
}

/// As [`page`], at another pace, with the plan of each statement that it took as `EXPLAIN (FORMAT JSON)` has it.
///
/// # Errors
/// As [`page`].
pub async fn explain(
    pool: &Pool,
    filter: &Filter,
    after: Option<Uuid>,
    limit: usize,
    pace: &Pace,
) -> Result<(Page, Vec<serde_json::Value>), StoreError> {
    let mut session = slots::Session::begin(pool, pace.time).await?;
    session.note_plans();
    let page = strategy::find(&mut session, filter, after, limit, pace).await?;
    let plans = session.end().await?;
    Ok((page, plans))
}
