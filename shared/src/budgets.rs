//! What a process knows of clients' budgets for the model. How a client stands is asked for every few seconds at most;
//! what was accepted since is not in the figure, so a budget may be exceeded by what is on its way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use uuid::Uuid;

use crate::store::budgets::{OverBudget, standing};
use crate::store::{Pool, StoreError};

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(2);

/// Flag: the client's budget was spent, and the rules alone have analysed the document.
pub const FLAG_OVER_BUDGET: &str = "over_budget";

/// What is known of clients.
#[derive(Debug, Default)]
pub struct Budgets(Mutex<HashMap<Uuid, (Instant, Option<OverBudget>)>>);

impl Budgets {
    /// What becomes of this client's submissions since its budget is spent; none: it is not, or there is none.
    ///
    /// # Errors
    /// The database is away.
    pub async fn spent(&self, pool: &Pool, client_id: Uuid, time_zone: Tz) -> Result<Option<OverBudget>, StoreError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&client_id).copied();
        if let Some((_, spent)) = known.filter(|(asked, _)| asked.elapsed() < BELIEVED) {
            return Ok(spent);
        }
        let standing = standing(pool, client_id, time_zone).await?;
        let spent = standing.filter(|of| of.is_spent()).map(|of| of.over_budget);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(client_id, (Instant::now(), spent));
        Ok(spent)
    }
}
