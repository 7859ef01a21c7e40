//! What can go wrong with the database, and whether trying again can help.

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, starting, stopping or out of room: the same statement may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A named constraint refused the row.
    #[error("the constraint {0} refused the row")]
    Refused(String),
    /// A statement or a row that is wrong: trying again cannot help.
    #[error("the store is broken: {0}")]
    Broken(#[source] sqlx::Error),
}

impl StoreError {
    /// A row holds what this program cannot read.
    #[must_use]
    pub fn bad_row(table: &str, column: &str, id: uuid::Uuid) -> Self {
        Self::Broken(sqlx::Error::Decode(format!("{table}.{column} of {id} cannot be read").into()))
    }

    /// Whether the same statement may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            sqlx::Error::Database(database) => match (database.constraint(), database.code()) {
                (Some(constraint), _) => Self::Refused(constraint.to_owned()),
                (None, Some(code)) if may_pass(&code) => Self::Unavailable(error),
                _ => Self::Broken(error),
            },
            _ => Self::Broken(error),
        }
    }
}

/// SQLSTATE classes that speak of the moment and not of the statement: connection (08), transaction
/// rolled back (40), resources (53), operator intervention (57), system error (58), and the lock and
/// read-only states of a failover.
fn may_pass(code: &str) -> bool {
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)) || matches!(code, "55P03" | "25006")
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                error.into()
            }
            other => Self::Broken(sqlx::Error::Configuration(Box::new(other))),
        }
    }
}
