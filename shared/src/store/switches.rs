//! `switches`: what operators have paused, for the whole fleet and until they resume it.

use chrono::{DateTime, Utc};

use super::{Pool, StoreError};

/// What can be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// Submissions: they are refused.
    Intake,
    /// Runs: none is begun.
    Runs,
    /// Callbacks: none is sent.
    Callbacks,
}

impl Switch {
    /// Every switch.
    pub const ALL: [Self; 3] = [Self::Intake, Self::Runs, Self::Callbacks];

    /// The word in the table and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Runs => "runs",
            Self::Callbacks => "callbacks",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.as_str() == name)
    }

    /// The jobs that are not begun while it is paused; none: no jobs.
    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Intake => None,
            Self::Runs => Some("run"),
            Self::Callbacks => Some("callback"),
        }
    }
}

/// Something that is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What.
    pub switch: Switch,
    /// Since when.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// All that is paused now.
///
/// # Errors
/// The database is away.
pub async fn paused(pool: &Pool) -> Result<Vec<Pause>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT name, paused_at AS "at!", paused_by AS "by!", reason AS "reason!"
           FROM switches WHERE paused_at IS NOT NULL ORDER BY paused_at"#
    )
    .fetch_all(pool)
    .await?;
    let pause = |(name, at, by, reason): (String, _, _, _)| Some(Pause { switch: Switch::of(&name)?, at, by, reason });
    Ok(rows.into_iter().filter_map(|row| pause((row.name, row.at, row.by, row.reason))).collect())
}

/// Pauses. False: it was paused already; its author and reason stay.
///
/// Jobs of its kind that are published and not claimed wait again: their messages can no longer be claimed, and
/// so the relay publishes them anew when the pause is over, without upkeep's having to miss them.
///
/// # Errors
/// The database is away.
pub async fn pause(pool: &Pool, switch: Switch, by: &str, reason: &str) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await?;
    let done = sqlx::query!(
        "WITH switch AS (
            UPDATE switches SET paused_at = now(), paused_by = $2, reason = $3
            WHERE name = $1 AND paused_at IS NULL RETURNING name, reason
        )
        INSERT INTO audit_events (actor, action, outcome, details)
        SELECT $2, 'switch.paused', 'done', jsonb_build_object('switch', name, 'reason', reason) FROM switch",
        switch.as_str(),
        by,
        reason,
    )
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE jobs SET published_at = NULL
         WHERE kind = $1 AND published_at IS NOT NULL AND lease_token IS NULL",
        switch.kind()
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Resumes; answers what the pause was. None: it was not paused.
///
/// # Errors
/// The database is away.
pub async fn resume(pool: &Pool, switch: Switch, by: &str) -> Result<Option<Pause>, StoreError> {
    let row = sqlx::query!(
        r#"WITH before AS (
            SELECT name, paused_at, paused_by, reason FROM switches
            WHERE name = $1 AND paused_at IS NOT NULL FOR UPDATE
        ), switch AS (
            UPDATE switches s SET paused_at = NULL, paused_by = NULL, reason = NULL
            FROM before WHERE s.name = before.name
        ), audit AS (
            INSERT INTO audit_events (actor, action, outcome, details)
            SELECT $2, 'switch.resumed', 'done', jsonb_build_object(
                'switch', name, 'paused_at', paused_at, 'paused_by', paused_by, 'reason', reason)
            FROM before
        )
        SELECT paused_at AS "at!", paused_by AS "by!", reason AS "reason!" FROM before"#,
        switch.as_str(),
        by,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Pause { switch, at: row.at, by: row.by, reason: row.reason }))
}
