//! How statements reach the database behind a pooler in transaction mode (PgBouncer, of which Debian 12's 1.18 knows no
//! prepared statements): it gives each transaction another connection, so that every statement, which is prepared and
//! then executed, stands in a transaction of its own.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{AssertSqlSafe, Either, Error, Execute, Executor, PgTransaction, Postgres, SqlStr};

use super::{LIMITS, Pool};

impl Pool {
    /// A transaction.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn begin(&self) -> Result<PgTransaction<'static>, Error> {
        self.begin_with("BEGIN").await
    }

    /// A transaction begun with other words, such as those of its isolation.
    ///
    /// Behind a pooler what other clients prepared on this connection is forgotten first: the names that a client gives
    /// its statements begin anew with each. The limits that a connection of our own has as start-up parameters are set
    /// for the transaction.
    ///
    /// # Errors
    /// The database is unavailable.
    pub async fn begin_with(&self, words: &'static str) -> Result<PgTransaction<'static>, Error> {
        if !self.pooled {
            return self.connections.begin_with(words).await;
        }
        let limits = LIMITS.map(|(name, value)| format!("SET LOCAL {name} = '{value}'")).join("; ");
        self.connections.begin_with(AssertSqlSafe(format!("{words}; DEALLOCATE ALL; {limits}"))).await
    }
}

impl<'p> Executor<'p> for &'_ Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.pooled {
            return self.connections.fetch_many(query);
        }
        let pool = self.clone();
        let all = async move {
            let mut transaction = pool.begin().await?;
            let all: Vec<_> = transaction.fetch_many(query).try_collect().await?;
            transaction.commit().await?;
            Ok::<_, Error>(stream::iter(all.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        if !self.pooled {
            return self.connections.fetch_optional(query);
        }
        let pool = self.clone();
        Box::pin(async move {
            let mut transaction = pool.begin().await?;
            let row = transaction.fetch_optional(query).await?;
            transaction.commit().await?;
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        self.connections.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        self.connections.describe(sql)
    }
}
