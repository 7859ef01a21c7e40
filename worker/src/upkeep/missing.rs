//! Lost means missing, not old: a job is published again only where, on two looks, fewer messages are ready than
//! jobs have been published and unclaimed for a while. A long queue before slow workers publishes nothing twice.

use std::collections::HashMap;

use shared::queue::depth;
use shared::relay;
use shared::store::StoreError;
use shared::store::jobs::{self, Lane};

use crate::app::App;

/// What the last look found missing, by lane.
#[derive(Debug, Default)]
pub(super) struct Looks(HashMap<Lane, u64>);

impl Looks {
    /// Somebody else looks now.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    pub(super) async fn publish_again(&mut self, app: &App) -> Result<(), StoreError> {
        // While the broker is away nothing can be said to be missing from it.
        let Ok(session) = app.broker.session() else {
            self.forget();
            return Ok(());
        };
        for lane in Lane::ALL {
            let waiting = jobs::missing_jobs(&app.pool, lane).await?;
            let ready = match depth(&session, lane).await {
                Ok(depth) => {
                    app.metrics.set_queue(lane.as_str(), depth.ready, depth.consumers);
                    depth.ready.into()
                }
                Err(error) => {
                    tracing::warn!(%error, "a queue cannot be looked at");
                    self.forget();
                    return Ok(());
                }
            };
            let lost = self.lost(lane, waiting.saturating_sub(ready));
            if lost > 0 {
                let again = jobs::republish(&app.pool, lane, lost).await?;
                if !again.is_empty() {
                    tracing::warn!(?lane, count = again.len(), "messages are missing and are published again");
                    app.metrics.upkeep("republish", again.len() as u64);
                    relay::publish(&app.pool, &session, &again, &app.metrics).await;
                }
            }
        }
        Ok(())
    }

    /// What both this look and the last one miss.
    fn lost(&mut self, lane: Lane, missing: u64) -> u64 {
        self.0.insert(lane, missing).unwrap_or(0).min(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_two_looks_in_a_row_miss_is_lost() {
        let mut looks = Looks::default();
        let mut lost = |missing| looks.lost(Lane::RunsNormal, missing);
        assert_eq!([lost(3), lost(5), lost(2), lost(0), lost(4)], [0, 3, 2, 0, 0]);
    }

    #[test]
    fn a_look_after_the_broker_was_away_is_a_first_one() {
        let mut looks = Looks::default();
        looks.lost(Lane::Callbacks, 3);
        looks.forget();
        assert_eq!(looks.lost(Lane::Callbacks, 3), 0);
    }
}
