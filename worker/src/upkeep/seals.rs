//! The audit's events are sealed, and once a day where the chain ends is told to the log and the document store, where
//! who can write to the database cannot change it.

use shared::audit_head::{DayHead, head_key};
use shared::store::StoreError;
use shared::store::audit::chain::{self, BATCH, Sealed};
use shared::store::audit::heads;

use super::Done;
use crate::app::App;

pub(super) async fn seal(app: &App) -> Result<Done, StoreError> {
    loop {
        match chain::seal(&app.pool).await? {
            Sealed::Overtaken => return Ok(Done::ForNow),
            Sealed::Events(sealed) => {
                app.metrics.upkeep("seal", sealed as u64);
                if i64::try_from(sealed).is_ok_and(|sealed| sealed < BATCH) {
                    break;
                }
            }
        }
    }
    tell_head(app).await?;
    Ok(Done::ForNow)
}

async fn tell_head(app: &App) -> Result<(), StoreError> {
    let Some(head) = heads::owed(&app.pool).await? else { return Ok(()) };
    let DayHead { day, number, .. } = head;
    if let Err(error) = app.documents.put(&head_key(day), head.to_json().into()).await {
        tracing::warn!(%error, %day, "the audit's head cannot be stored; the next look tries again");
        return Ok(());
    }
    heads::keep(&app.pool, &head).await?;
    tracing::info!(%day, number, hash = head.hash_text(), "the audit's chain ended the day with this head");
    Ok(())
}
