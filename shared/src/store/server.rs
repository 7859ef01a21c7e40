//! The database server itself, as operators need to know it.

use super::{Pool, StoreError};

/// What it is and how full it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Such as `15.14`.
    pub version: String,
    /// Such as 150014.
    pub version_number: i32,
    /// It only follows another: nothing can be written.
    pub standby: bool,
    /// Connections that are open, of everybody.
    pub connections: i64,
    /// That may be open.
    pub most_connections: i32,
}

/// Asks the server for itself.
///
/// # Errors
/// It is away.
pub async fn server(pool: &Pool) -> Result<Server, StoreError> {
    Ok(sqlx::query_as!(
        Server,
        r#"SELECT current_setting('server_version') AS "version!",
                  current_setting('server_version_num')::int AS "version_number!",
                  pg_is_in_recovery() AS "standby!",
                  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS "connections!",
                  current_setting('max_connections')::int AS "most_connections!""#
    )
    .fetch_one(pool)
    .await?)
}

/// What our role may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Make tables in our schema.
    pub may_create: bool,
    /// Attach partitions: it owns the tables that have them, or is of their owner.
    pub owns_tables: bool,
}

/// Asks for our role's rights.
///
/// # Errors
/// The database is away, or was not migrated.
pub async fn rights(pool: &Pool) -> Result<Rights, StoreError> {
    Ok(sqlx::query_as!(
        Rights,
        r#"SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "may_create!",
                  coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')), false) AS "owns_tables!"
           FROM monthly_tables m JOIN pg_class c ON c.oid = to_regclass(m.table_name)"#
    )
    .fetch_one(pool)
    .await?)
}
