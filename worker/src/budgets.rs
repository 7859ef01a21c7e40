//! Clients whose budget for the model is spent and who chose the rules then. How a client stands is asked for every
//! few seconds at most, and only by workers that ask a model at all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use shared::store::budgets::{self, OverBudget};
use shared::store::{Pool, StoreError};
use uuid::Uuid;

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(2);

/// Flag: the client's budget was spent, and the rules alone have analysed the document.
pub const FLAG_OVER_BUDGET: &str = "over_budget";

/// What is known of clients.
#[derive(Debug, Default)]
pub struct Budgets(Mutex<HashMap<Uuid, (Instant, bool)>>);

impl Budgets {
    /// Whether this client's documents are left to the rules now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn by_rules(&self, pool: &Pool, client_id: Uuid, time_zone: Tz) -> Result<bool, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&client_id).copied();
        if let Some((_, by_rules)) = known.filter(|(asked, _)| asked.elapsed() < BELIEVED) {
            return Ok(by_rules);
        }
        let standing = budgets::standing(pool, client_id, time_zone).await?;
        let by_rules = standing.is_some_and(|of| of.over_budget == OverBudget::Rules && of.is_spent());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client_id, (Instant::now(), by_rules));
        Ok(by_rules)
    }
}
