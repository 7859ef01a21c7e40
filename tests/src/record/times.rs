//! How long a page of a listing takes, with all that the api answers of it.

use std::time::{Duration, Instant};

use shared::store::search::{self, Filter, Page, Slots};
use shared::store::{Pool, runs};
use uuid::Uuid;

use crate::bench::statistics::percentile;

/// Runs of a page.
pub const LIMIT: usize = 50;

/// Milliseconds of some pages.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// p50 and p99; a dash where nothing was measured.
    pub fn shown(&self) -> [String; 2] {
        [50.0, 99.0].map(|percent| match self.0.is_empty() {
            true => "–".to_owned(),
            false => format!("{:.1}", percentile(&self.0, percent)),
        })
    }

    /// Looks for a page, once to warm it and so many times.
    ///
    /// # Errors
    /// The database is away.
    pub async fn page(
        &mut self,
        pool: &Pool,
        filter: &Filter,
        after: Option<Uuid>,
        repeats: usize,
    ) -> anyhow::Result<Page> {
        let slots = Slots::of(4);
        let mut page = look(pool, &slots, filter, after).await?.0;
        for _ in 0..repeats {
            let (again, time) = look(pool, &slots, filter, after).await?;
            self.0.push(time.as_secs_f64() * 1000.0);
            page = again;
        }
        Ok(page)
    }
}

async fn look(pool: &Pool, slots: &Slots, filter: &Filter, after: Option<Uuid>) -> anyhow::Result<(Page, Duration)> {
    let begun = Instant::now();
    let page = search::page(pool, slots, filter, after, LIMIT).await?;
    runs::find_many(pool, &page.run_ids).await?;
    search::snippets(pool, slots, &page.run_ids, &filter.words).await?;
    Ok((page, begun.elapsed()))
}

/// Where the hundredth page begins; none where there are not so many.
///
/// # Errors
/// The database is away.
pub async fn hundredth(pool: &Pool, filter: &Filter) -> anyhow::Result<Option<Uuid>> {
    let slots = Slots::of(4);
    let mut after = None;
    for _ in 1..100 {
        after = search::page(pool, &slots, filter, after, LIMIT).await?.next;
        if after.is_none() {
            break;
        }
    }
    Ok(after)
}
