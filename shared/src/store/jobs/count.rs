//! How many jobs there are.

use std::time::Duration;

use super::Lane;
use crate::store::{Pool, StoreError};

/// The jobs of one lane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaneCount {
    /// Which queue they travel by.
    pub lane: Lane,
    /// Not published: due and without room, or due later.
    pub waiting: i64,
    /// Published and not claimed.
    pub published: i64,
    /// Being worked on.
    pub leased: i64,
    /// How long the oldest that nobody works on has been due.
    pub oldest_due: Duration,
}

/// Jobs by lane and state; lanes without jobs are named too.
///
/// # Errors
/// The database is away.
pub async fn count(pool: &Pool) -> Result<Vec<LaneCount>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT kind, priority,
            count(*) FILTER (WHERE lease_token IS NULL AND published_at IS NULL) AS "waiting!",
            count(*) FILTER (WHERE lease_token IS NULL AND published_at IS NOT NULL) AS "published!",
            count(*) FILTER (WHERE lease_token IS NOT NULL) AS "leased!",
            (COALESCE(EXTRACT(EPOCH FROM now() - min(available_at)
                FILTER (WHERE lease_token IS NULL AND available_at <= now())), 0))::float8 AS "oldest_due!"
           FROM jobs GROUP BY kind, priority"#
    )
    .fetch_all(pool)
    .await?;
    let of = |lane: Lane| {
        let rows = || rows.iter().filter(|row| Lane::of(&row.kind, &row.priority) == lane);
        let oldest_due = rows().map(|row| row.oldest_due).fold(0.0, f64::max);
        LaneCount {
            lane,
            waiting: rows().map(|row| row.waiting).sum(),
            published: rows().map(|row| row.published).sum(),
            leased: rows().map(|row| row.leased).sum(),
            oldest_due: Duration::try_from_secs_f64(oldest_due).unwrap_or_default(),
        }
    };
    Ok(Lane::ALL.into_iter().map(of).collect())
}
