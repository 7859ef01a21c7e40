//! How many jobs there are.

use super::Kind;
use crate::store::{Pool, StoreError};

/// Jobs of one kind in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What they are for.
    pub kind: Kind,
    /// `waiting`, `published` or `leased`.
    pub state: &'static str,
    /// How many.
    pub jobs: i64,
}

/// Jobs by kind and state; states without jobs are named too.
///
/// # Errors
/// The database is away.
pub async fn count(pool: &Pool) -> Result<Vec<Count>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT kind,
            count(*) FILTER (WHERE lease_token IS NULL AND published_at IS NULL) AS "waiting!",
            count(*) FILTER (WHERE lease_token IS NULL AND published_at IS NOT NULL) AS "published!",
            count(*) FILTER (WHERE lease_token IS NOT NULL) AS "leased!"
           FROM jobs GROUP BY kind"#
    )
    .fetch_all(pool)
    .await?;
    let of = |kind: Kind| {
        let row = rows.iter().find(|row| row.kind == kind.as_str());
        let (waiting, published, leased) = row.map_or((0, 0, 0), |row| (row.waiting, row.published, row.leased));
        [("waiting", waiting), ("published", published), ("leased", leased)].map(|(state, jobs)| Count {
            kind,
            state,
            jobs,
        })
    };
    Ok(Kind::ALL.into_iter().flat_map(of).collect())
}
