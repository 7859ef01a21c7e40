//! The upright pages' pictures: kept in the document store before the run is finished, so that a finished run
//! never names one that is not there.

use bytes::Bytes;
use shared::documents::{Documents, page_key};
use shared::domain::ErrorCode;
use shared::store::finish::FinishedPage;
use uuid::Uuid;

use crate::app::App;
use crate::pipeline::{Failure, Work};

/// Stores each page's picture; answers the keys, page by page.
pub(super) async fn keep(app: &App, work: &Work) -> Result<Vec<Option<String>>, Failure> {
    let failed =
        |error: String| Failure::new(ErrorCode::FileSaveFailed, format!("a page's picture is not kept: {error}"));
    // Random and not the run's: another attempt, or another generation, overwrites nothing.
    let id = Uuid::new_v4();
    let mut keys = Vec::with_capacity(work.pages.len());
    for (page, picture) in work.pages.iter().zip(&work.pictures) {
        let Some(path) = picture else {
            keys.push(None);
            continue;
        };
        let bytes = tokio::fs::read(path).await.map_err(|error| failed(error.kind().to_string()))?;
        let key = page_key(app.clock.now(), id, page.number);
        app.documents.put(&key, Bytes::from(bytes)).await.map_err(|error| failed(error.to_string()))?;
        keys.push(Some(key));
    }
    Ok(keys)
}

/// Takes pictures of a run back that was not ours to finish. What is left behind, the daily look for files
/// that no run names will find.
pub(super) async fn discard(documents: &Documents, pages: &[FinishedPage]) {
    for key in pages.iter().filter_map(|page| page.image_key.as_deref()) {
        if let Err(error) = documents.delete(key).await {
            tracing::debug!(%error, "a picture is left behind");
        }
    }
}
