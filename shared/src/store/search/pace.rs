//! How much is looked at in one piece of work.

use std::time::Duration;

/// Bounds of the pieces that a search is made of. What is found does not depend on them, only how long it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Rows of the first look: what one run in forty has fills a page of fifty from them.
    pub look: i64,
    /// Rows of one piece of a walk, at most: some fifty milliseconds.
    pub longest: i64,
    /// Where a name fills the page within so many rows of a walk, the walk is not longer than taking all of a month.
    pub worth_walking: f64,
    /// Runs of a month that are taken by a name, at most.
    pub named: i64,
    /// The same where the text of each must be read.
    pub named_and_read: i64,
    /// Pages of a span that are taken by their words, at most.
    pub pages: i64,
    /// Rows of a piece whose text must be read: of the first, and of any.
    pub read: [i64; 2],
    /// What an order must hold at most for the text of all its runs to be read.
    pub few: i64,
    /// After so long a search begins no further piece and answers with what it has.
    pub time: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: 2_000,
            longest: 50_000,
            worth_walking: 20_000.0,
            named: 20_000,
            named_and_read: 500,
            pages: 20_000,
            read: [200, 2_000],
            few: 1_000,
            time: Duration::from_secs(2),
        }
    }
}
