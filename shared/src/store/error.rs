//! What can go wrong with the store, and whether trying again helps.

/// A statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is starting or stopping, or gave up on a conflict between
    /// transactions. Trying again helps.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database refused the statement. Trying again does not help.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] sqlx::Error),
    /// A row holds what this program cannot read. Trying again does not help.
    #[error("{table}.{column} of {id} cannot be read")]
    BadRow {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Key of the row.
        id: uuid::Uuid,
    },
}

impl StoreError {
    /// Whether the same statement may succeed when tried again.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether the statement did not even reach the database: there was no connection to send it on.
    #[must_use]
    pub const fn never_sent(&self) -> bool {
        matches!(self, Self::Unavailable(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed))
    }

    /// The constraint that refused the statement.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Refused(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }
}

impl StoreError {
    /// The SQLSTATE of a refusal: says what is wrong without the values that a message may hold.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Refused(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let passing = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => true,
            sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| passes(&code)),
            _ => false,
        };
        if passing { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

/// SQLSTATE classes that pass by themselves: connection (08), conflicts (40), resources (53),
/// an operator's intervention (57), and a database that is not migrated or not made yet.
fn passes(code: &str) -> bool {
    ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)) || matches!(code, "55P03" | "3D000" | "25006")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).retryable());
        assert!(!StoreError::from(sqlx::Error::RowNotFound).retryable());
        // admin_shutdown, deadlock_detected, too_many_connections
        assert!(["57P01", "40P01", "53300"].iter().all(|code| passes(code)));
        // unique_violation, check_violation, undefined_column
        assert!(!["23505", "23514", "42703"].iter().any(|code| passes(code)));
    }
}
