//! The only place with SQL, one module per table or view. Statements are checked by the compiler
//! against the migrations; only listings with free filters are put together at run time.

mod error;
pub mod runs;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use error::StoreError;

use crate::settings::Database;

/// Connections to PostgreSQL, shared by all tasks of a process.
pub type Pool = sqlx::PgPool;

/// How long a request waits for a free connection before it is told that the database is unavailable.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

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
    let mut options: PgConnectOptions = url.parse().map_err(StoreError::from)?;
    options = options.application_name(name);
    if database.pooled {
        // A pooler in transaction mode gives each transaction another connection: a statement that
        // was prepared on one is unknown on the next.
        options = options.statement_cache_capacity(0);
    }
    Ok(PgPoolOptions::new()
        .max_connections(database.connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // An idle connection that has died is found out by its first statement, which fails with an
        // error that says another try helps; a ping before each statement would double the trips.
        .test_before_acquire(false)
        .connect_lazy_with(options))
}

/// Brings the schema up to date. Steps that are done already are left alone.
///
/// # Errors
/// A step failed, or the database has steps that this program does not know.
pub async fn migrate(pool: &Pool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATIONS.run(pool).await
}

/// The steps of `migrations/`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
