//! Connections: made lazily, so that a process may start before its database.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::StoreError;
use crate::settings::Database;

/// Connections to PostgreSQL.
pub type Pool = sqlx::PgPool;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// A connection that was idle for longer is asked whether it is alive before it is used: after a restart
/// of the database no statement then fails for a connection that died with it.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A pool that connects when it is first used.
///
/// # Errors
/// `DATABASE_URL` cannot be read.
pub fn connect(settings: &Database, application: &str) -> Result<Pool, StoreError> {
    let options: PgConnectOptions = settings.url.expose().parse()?;
    let options = options.application_name(application).options([
        // No statement of ours is long, so one that is has gone wrong; compiling them costs more than
        // running them.
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("jit", "off"),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(settings.connections)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(3600))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                use sqlx::Connection as _;
                if meta.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// Brings the schema up to date.
///
/// # Errors
/// The database is away, or a migration failed (its transaction is rolled back).
pub async fn migrate(pool: &Pool) -> Result<(), StoreError> {
    Ok(MIGRATIONS.run(pool).await?)
}

/// How many migrations of this build the database has not had yet.
///
/// # Errors
/// The database is away.
pub async fn pending_migrations(pool: &Pool) -> Result<usize, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(pool).await?;
    let applied: Vec<i64> = if known {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(pool).await?
    } else {
        Vec::new()
    };
    Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count())
}

/// Asks the database whether it is there.
///
/// # Errors
/// It is not.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
    sqlx::query("SELECT 1").execute(pool).await?;
    Ok(())
}
