//! A client whose budget for the model is spent, and who wants submissions refused then. How a client stands is asked
//! for every few seconds, and only of clients that have a budget; what was accepted since is not in the figure, so a
//! budget may be exceeded by what is on its way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use shared::store::api_keys::Caller;
use shared::store::budgets::{self, OverBudget};
use shared::store::{Pool, StoreError};
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(2);

/// What is known of clients with budgets.
#[derive(Debug, Default)]
pub struct Budgets(Mutex<HashMap<Uuid, (Instant, bool)>>);

impl Budgets {
    /// Lets a submission in.
    ///
    /// # Errors
    /// 402 where the client's budget is spent and it chose to be refused then; 503.
    pub async fn admit(&self, pool: &Pool, caller: &Caller, time_zone: Tz) -> Result<(), Problem> {
        if !caller.has_budget || !self.refuses(pool, caller.client_id, time_zone).await? {
            return Ok(());
        }
        let detail = "This month's budget for the model is spent; submissions are taken in again next month, or with a larger budget.";
        Err(Problem::new(Code::BudgetSpent, detail))
    }

    async fn refuses(&self, pool: &Pool, client_id: Uuid, time_zone: Tz) -> Result<bool, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&client_id).copied();
        if let Some((_, refuses)) = known.filter(|(asked, _)| asked.elapsed() < BELIEVED) {
            return Ok(refuses);
        }
        let standing = budgets::standing(pool, client_id, time_zone).await?;
        let refuses = standing.is_some_and(|of| of.over_budget == OverBudget::Refuse && of.is_spent());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client_id, (Instant::now(), refuses));
        Ok(refuses)
    }
}
