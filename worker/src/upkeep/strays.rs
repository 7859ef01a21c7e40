//! Files that no run names: uploads whose insert never came, pictures of attempts that were not ours to finish.
//! Looked for once a day, and only among files old enough that nothing can still be about to name them.

use std::time::Duration;

use futures::TryStreamExt as _;
use shared::documents::DocumentsError;
use shared::store::{StoreError, stored_keys};

use super::{Done, Duty};
use crate::app::App;

/// When it is done; what it has not come to is looked at the next time.
pub(super) const DUTY: Duty = Duty {
    name: "strays",
    every: Some(Duration::from_secs(24 * 3600)),
    term: Duration::from_secs(3600),
    within: Duration::from_secs(3300),
};
/// Longer than any upload or run may take.
const OLD: chrono::TimeDelta = chrono::TimeDelta::days(2);
const AT_ONCE: usize = 500;

pub(super) async fn remove(app: &App) -> Result<Done, StoreError> {
    let mut removed = 0;
    for prefix in ["documents", "pages"] {
        match remove_under(app, prefix).await {
            Ok(count) => removed += count,
            Err(StrayError::Store(error)) => return Err(error),
            Err(StrayError::Documents(error)) => {
                tracing::warn!(%error, "the document store cannot be looked through");
                return Ok(Done::ForNow);
            }
        }
    }
    if removed > 0 {
        tracing::warn!(removed, "files that no run names were removed");
        app.metrics.upkeep("stray", removed);
    }
    Ok(Done::Wholly)
}

#[derive(Debug, thiserror::Error)]
enum StrayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Documents(#[from] DocumentsError),
}

async fn remove_under(app: &App, prefix: &str) -> Result<u64, StrayError> {
    let before = app.clock.now() - OLD;
    let old = app.documents.list(prefix)?.try_filter(|stored| std::future::ready(stored.modified_at < before));
    let mut chunks = std::pin::pin!(old.map_ok(|stored| stored.key).try_chunks(AT_ONCE));
    let mut removed = 0;
    while let Some(keys) = chunks.try_next().await.map_err(|error| error.1)? {
        for key in stored_keys::unnamed(&app.pool, &keys).await? {
            app.documents.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
