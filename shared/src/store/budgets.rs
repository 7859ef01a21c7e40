//! What clients spend on the model in a month, against what they may. Counted from the figures (`stats_all_calls`): a
//! call counts as soon as its run has ended, in the month of the run's creation in `TIME_ZONE`.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{Pool, StoreError};

/// What becomes of submissions once the budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverBudget {
    /// They are refused at the intake.
    Refuse,
    /// They are analysed by the rules alone, and flagged.
    Rules,
}

impl OverBudget {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Refuse, Self::Rules];

    /// The word in the record and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Rules => "rules",
        }
    }
}

/// At which part of a budget, in percent, somebody is told.
pub const THRESHOLDS: [i16; 2] = [80, 100];

/// How a client stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// What it may spend in a month.
    pub budget: f64,
    /// What it has spent in this one.
    pub spent: f64,
    /// What happens beyond.
    pub over_budget: OverBudget,
}

impl Standing {
    /// Whether the budget is spent.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.spent >= self.budget
    }

    /// Whether so many percent of it are.
    #[must_use]
    pub fn has_reached(&self, percent: i16) -> bool {
        self.spent * 100.0 >= self.budget * f64::from(percent)
    }
}

/// How a client stands this month; none where it has no budget.
///
/// # Errors
/// The database is away.
pub async fn standing(pool: &Pool, client_id: Uuid, time_zone: Tz) -> Result<Option<Standing>, StoreError> {
    let rows = all(pool, Some(client_id), time_zone).await?;
    Ok(rows.into_iter().next().map(|of| of.standing))
}

/// How one client stands in a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Of {
    /// Whose.
    pub client_id: Uuid,
    /// The month's first day.
    pub month: NaiveDate,
    /// How it stands.
    pub standing: Standing,
    /// What was told already.
    pub told: Vec<i16>,
}

/// Every client with a budget, or this one.
///
/// # Errors
/// The database is away, or a row cannot be read.
pub async fn all(pool: &Pool, client_id: Option<Uuid>, time_zone: Tz) -> Result<Vec<Of>, StoreError> {
    let rows = sqlx::query!(
        r#"WITH month AS (
            SELECT date_trunc('month', now() AT TIME ZONE $2)::date AS first,
                   (date_trunc('month', now() AT TIME ZONE $2) + interval '1 month')::date AS next
        ), spent AS (
            SELECT s.client_id, sum(s.cost) AS cost FROM stats_all_calls s, month m
            WHERE s.day >= m.first AND s.day < m.next AND ($1::uuid IS NULL OR s.client_id = $1) GROUP BY s.client_id
        )
        SELECT c.client_id AS "client_id!", m.first AS "month!", c.budget::float8 AS "budget!", c.over_budget AS "over_budget!",
               coalesce(s.cost, 0)::float8 AS "spent!",
               ARRAY(SELECT n.percent FROM budget_notices n WHERE n.client_id = c.client_id AND n.month = m.first) AS "told!"
        FROM clients c CROSS JOIN month m LEFT JOIN spent s USING (client_id)
        WHERE c.budget IS NOT NULL AND ($1::uuid IS NULL OR c.client_id = $1)"#,
        client_id,
        time_zone.name()
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let over_budget = OverBudget::ALL.into_iter().find(|word| word.as_str() == row.over_budget);
            let bad = StoreError::BadRow { table: "clients", column: "over_budget", id: row.client_id };
            Ok(Of {
                client_id: row.client_id,
                month: row.month,
                standing: Standing { budget: row.budget, spent: row.spent, over_budget: over_budget.ok_or(bad)? },
                told: row.told,
            })
        })
        .collect()
}

/// Keeps that a threshold was reached, once for each month, with an event of the audit; false where that was kept
/// already.
///
/// # Errors
/// The database is away.
pub async fn tell(pool: &Pool, of: &Of, percent: i16, actor: &str) -> Result<bool, StoreError> {
    let Standing { budget, spent, over_budget } = of.standing;
    let details = json!({ "month": of.month, "percent": percent, "budget": budget, "spent": spent,
                          "over_budget": over_budget.as_str() });
    let told = sqlx::query!(
        "WITH told AS (
            INSERT INTO budget_notices (client_id, month, percent) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING RETURNING client_id
        )
        INSERT INTO audit_events (client_id, actor, action, outcome, details)
        SELECT client_id, $4::text, 'client.budget', 'reached', $5 FROM told",
        of.client_id,
        of.month,
        percent,
        actor,
        details,
    )
    .execute(pool)
    .await?;
    Ok(told.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_reached_when_so_much_of_the_budget_is_spent() {
        let of = |spent| Standing { budget: 500.0, spent, over_budget: OverBudget::Refuse };
        assert!(!of(399.99).has_reached(80) && of(400.0).has_reached(80) && !of(400.0).has_reached(100));
        assert!(!of(499.99).is_spent() && of(500.0).is_spent());
        assert!(Standing { budget: 0.0, ..of(0.0) }.is_spent(), "nothing may be spent");
    }
}
