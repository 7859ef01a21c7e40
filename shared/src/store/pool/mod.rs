//! Connections: made lazily, so that a process may start before its database.

mod executor;

use std::ops::Deref;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use super::StoreError;
use crate::settings::{Database, Secret};

/// Connections to PostgreSQL. Cheap to clone; whatever takes an executor takes `&Pool`.
#[derive(Clone, Debug)]
pub struct Pool {
    connections: PgPool,
    /// A pooler in transaction mode stands between: see [`Pool::begin_with`].
    pooled: bool,
}

impl From<PgPool> for Pool {
    /// Without a pooler between.
    fn from(connections: PgPool) -> Self {
        Self { connections, pooled: false }
    }
}

impl Deref for Pool {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.connections
    }
}

/// The steps of `migrations/`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// How long a request waits for a free connection before it is told that the database is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a person waits for a database that does not answer.
const REACH_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that was idle for longer is asked whether it is alive before it is used: after a restart
/// of the database no statement then fails for a connection that died with it.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// No statement of ours is long, so one that is has gone wrong; compiling them costs more than running them.
const LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "30s"), ("jit", "off")];

/// A pool that connects when it is first used, so that a process starts before its database does.
///
/// # Errors
/// The address cannot be read.
pub fn connect(database: &Database, name: &str) -> Result<Pool, StoreError> {
    connect_to(database.url.expose(), database, name)
}

/// The same for searches: `DATABASE_READ_URL`, or `DATABASE_URL` where there is none.
///
/// # Errors
/// The address cannot be read.
pub fn connect_read(database: &Database, name: &str) -> Result<Pool, StoreError> {
    connect_to(database.read_url.as_ref().unwrap_or(&database.url).expose(), database, name)
}

fn connect_to(url: &str, database: &Database, name: &str) -> Result<Pool, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    let mut options = options.application_name(name);
    if database.pooled {
        // A statement that was prepared on one connection is unknown on the next, and start-up parameters are refused.
        options = options.statement_cache_capacity(0);
    } else {
        options = options.options(LIMITS);
    }
    let connections = PgPoolOptions::new()
        .max_connections(database.connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(3600))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    Ok(Pool { connections, pooled: database.pooled })
}

/// Connects once, now: what goes wrong then says why, which a pool that waits for a connection does not.
///
/// # Errors
/// The address cannot be read, nobody answers there in time, or the database does not let us in.
pub async fn reach(url: &Secret) -> Result<(), StoreError> {
    let options: PgConnectOptions = url.expose().parse()?;
    let connecting = tokio::time::timeout(REACH_TIMEOUT, options.connect());
    let connection = connecting.await.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??;
    Ok(connection.close().await?)
}

/// Brings the schema up to date. Steps that are done already are left alone; indexes of months that a step left to be
/// built are built beside whoever writes, also those that an earlier call did not come to.
///
/// # Errors
/// A step failed, or the database has steps that this program does not know.
pub async fn migrate(pool: &Pool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATIONS.run(&pool.connections).await?;
    super::long_indexes::build(pool).await?;
    Ok(())
}

/// How the database's schema stands to this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The newest migration that the database has had.
    pub newest: Option<i64>,
    /// Migrations of this build that it has not had yet.
    pub pending: usize,
    /// Migrations that it has had and this build does not know: another build is newer.
    pub unknown: usize,
}

/// How many migrations of this build the database has not had yet.
///
/// # Errors
/// The database is away.
pub async fn pending_migrations(pool: &Pool) -> Result<usize, StoreError> {
    Ok(schema(pool).await?.pending)
}

/// Compares the database's migrations with those of this build.
///
/// # Errors
/// The database is away.
pub async fn schema(pool: &Pool) -> Result<Schema, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(pool).await?;
    let applied: Vec<i64> = if known {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(pool).await?
    } else {
        Vec::new()
    };
    Ok(Schema {
        newest: applied.iter().max().copied(),
        pending: MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count(),
        unknown: applied.iter().filter(|version| !MIGRATIONS.version_exists(**version)).count(),
    })
}

/// Asks the database whether it is there.
///
/// # Errors
/// It is not.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}

/// The database's clock.
///
/// # Errors
/// The database is away.
pub async fn now(pool: &Pool) -> Result<chrono::DateTime<chrono::Utc>, StoreError> {
    Ok(sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?)
}
