//! What a search may take: a slot of few, one read-only transaction, so much time.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Executor as _, Postgres, QueryBuilder, Row as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::{Pool, StoreError};

/// How long a search waits for others to end before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many searches a process runs at once: the other connections are for intake and for polls.
#[derive(Debug)]
pub struct Slots(Semaphore);

impl Slots {
    /// Half of a pool's connections.
    #[must_use]
    pub fn of(connections: u32) -> Self {
        Self(Semaphore::new((connections as usize / 2).max(1)))
    }

    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        match tokio::time::timeout(PATIENCE, self.0.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }
}

/// All statements of a search see the same moment, and nothing that it sets outlives it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A whole table is never the right way to a page of a listing. What is known of a word's runs must stay exact, else
/// their text would be read again. A search keeps to its one process.
const SETTINGS: &str = "SET LOCAL statement_timeout = '5s'; SET LOCAL enable_seqscan = off; \
    SET LOCAL work_mem = '64MB'; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off";

/// A search under way.
pub(super) struct Session {
    transaction: sqlx::PgTransaction<'static>,
    until: Instant,
    plans: Option<Vec<Value>>,
}

impl Session {
    /// Begins one that begins no further statement after this time.
    pub(super) async fn begin(pool: &Pool, time: Duration) -> Result<Self, StoreError> {
        let until = Instant::now() + time;
        let mut transaction = pool.begin_with(BEGIN).await?;
        transaction.execute(sqlx::raw_sql(SETTINGS)).await?;
        Ok(Self { transaction, until, plans: None })
    }

    /// From now on plans are kept.
    pub(super) fn note_plans(&mut self) {
        self.plans = Some(Vec::new());
    }

    /// Whether no further statement should begin.
    pub(super) fn out_of_time(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Runs a statement that answers one row. It is planned for these values: a plan made for any would be good for
    /// none, and keeping one for each set of filters would fill the connection.
    pub(super) async fn row(&mut self, write: impl Fn(&mut QueryBuilder<Postgres>)) -> Result<PgRow, StoreError> {
        if let Some(plans) = &mut self.plans {
            let mut query = QueryBuilder::new("EXPLAIN (FORMAT JSON) ");
            write(&mut query);
            let plan = query.build().persistent(false).fetch_one(&mut *self.transaction).await?;
            plans.push(plan.try_get(0)?);
        }
        let mut query = QueryBuilder::new("");
        write(&mut query);
        Ok(query.build().persistent(false).fetch_one(&mut *self.transaction).await?)
    }

    /// Ends it; answers the plans, where they were kept.
    pub(super) async fn end(self) -> Result<Vec<Value>, StoreError> {
        self.transaction.rollback().await?;
        Ok(self.plans.unwrap_or_default())
    }
}
