//! What is due, without doing any of it.

use chrono::{Months, NaiveDate, NaiveTime};

use crate::archive::ArchiveError;
use crate::domain::terms::{Cutoffs, Terms};
use crate::store::retention::{self, AUDIT_TABLE, MonthDue, RUN_TABLES};
use crate::store::{self, Pool, erasures};

/// What is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Months with anything due, oldest first.
    pub months: Vec<MonthPlan>,
    /// Months of audit events past their term.
    pub audit_months: Vec<NaiveDate>,
    /// Idempotency keys whose time is over.
    pub idempotency_keys: i64,
    /// Erasures for which the archives are still to be looked through.
    pub erasures: i64,
}

/// What is due of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthPlan {
    /// Its first day, in UTC.
    pub month: NaiveDate,
    /// Counts.
    pub due: MonthDue,
    /// Every term is over and nothing stays: its tables are dropped.
    pub drops: bool,
}

/// Whether every term that counts from the month's creation is over for all of it.
pub(super) fn is_over(month: NaiveDate, cutoff: chrono::DateTime<chrono::Utc>) -> bool {
    month.checked_add_months(Months::new(1)).is_some_and(|next| next.and_time(NaiveTime::MIN).and_utc() <= cutoff)
}

/// Whether a term may be over for anything of the month. One of imported runs is old and its terms are young.
fn has_begun(month: NaiveDate, cutoffs: Cutoffs) -> bool {
    month.and_time(NaiveTime::MIN).and_utc() < cutoffs.no_run().max(cutoffs.document)
}

/// The months of which something may be due, oldest first.
pub(super) async fn months(pool: &Pool, cutoffs: Cutoffs) -> Result<Vec<NaiveDate>, ArchiveError> {
    let mut months = Vec::new();
    for table in RUN_TABLES {
        months.extend(retention::attached(pool, table).await?);
    }
    months.sort_unstable();
    months.dedup();
    months.retain(|month| has_begun(*month, cutoffs));
    Ok(months)
}

/// The months of audit events that are past their term.
pub(super) async fn audit_months(pool: &Pool, cutoffs: Cutoffs) -> Result<Vec<NaiveDate>, ArchiveError> {
    let mut months = retention::attached(pool, AUDIT_TABLE).await?;
    months.retain(|month| is_over(*month, cutoffs.audit));
    Ok(months)
}

/// Looks at what is due now.
///
/// # Errors
/// The database is away.
pub async fn plan(pool: &Pool, terms: &Terms) -> Result<Plan, ArchiveError> {
    let cutoffs = terms.at(store::now(pool).await?);
    let mut plan = Plan {
        audit_months: audit_months(pool, cutoffs).await?,
        idempotency_keys: retention::spent_keys(pool).await?,
        erasures: erasures::to_clear_count(pool).await?,
        ..Plan::default()
    };
    for month in months(pool, cutoffs).await? {
        let due = retention::month_due(pool, month, cutoffs).await?;
        let drops = is_over(month, cutoffs.every_run()) && due.past == due.runs && due.held == 0;
        if drops || due.past > 0 || due.documents > 0 {
            plan.months.push(MonthPlan { month, due, drops });
        }
    }
    Ok(plan)
}
