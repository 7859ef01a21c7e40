//! `ARTIFACTS_DIR`: each run that ends here is also written as the system before this one wrote it, so that what reads
//! its files goes on while both work side by side. It comes after the commit and out of what was committed; whatever
//! goes wrong with it is logged and counted, and the run does not notice.

mod folder;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shared::domain::Status;
use shared::legacy;
use shared::store::{pages, runs};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::app::App;

/// Folders written or removed at once. A file system that hangs keeps so many threads and no more.
const AT_ONCE: usize = 4;

/// How long one waits for others.
const FOR_ROOM: Duration = Duration::from_secs(5);

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Where they go.
#[derive(Clone, Debug)]
pub struct Artifacts {
    root: Arc<Path>,
    room: Arc<Semaphore>,
}

/// Why a run's files are not there.
#[derive(Debug, thiserror::Error)]
enum NotWritten {
    #[error(transparent)]
    Store(#[from] shared::store::StoreError),
    #[error(transparent)]
    Document(#[from] shared::documents::DocumentsError),
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("the folders that are being written use up all room")]
    NoRoom,
    #[error("it takes longer than {} s", WITHIN.as_secs())]
    TooLong,
}

impl Artifacts {
    /// Below this folder. What a process that was killed has left half written is removed.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let aside = root.to_owned();
        // In a thread of its own: a file system that hangs holds up no start.
        std::thread::spawn(move || folder::sweep(&aside));
        Self { root: root.into(), room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Work on the file system, in a thread of its own.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, NotWritten> {
        let room = tokio::time::timeout(FOR_ROOM, Arc::clone(&self.room).acquire_owned()).await;
        let permit = room.ok().and_then(Result::ok).ok_or(NotWritten::NoRoom)?;
        let root = Arc::clone(&self.root);
        let work = tokio::task::spawn_blocking(move || {
            let done = work(&root);
            drop(permit);
            done
        });
        Ok(work.await.map_err(std::io::Error::other)??)
    }

    /// Takes a run's files away, where there are any.
    async fn remove(&self, run_id: Uuid) -> Result<bool, NotWritten> {
        let removing = self.on_disk(move |root| folder::remove(root, run_id));
        tokio::time::timeout(WITHIN, removing).await.unwrap_or(Err(NotWritten::TooLong))
    }
}

/// Writes a run that has ended, where there is a place for it.
pub async fn keep(app: &App, run_id: Uuid) {
    let Some(artifacts) = &app.artifacts else { return };
    let written = tokio::time::timeout(WITHIN, write(app, artifacts, run_id)).await;
    match written.unwrap_or(Err(NotWritten::TooLong)) {
        Ok(()) => app.metrics.artifact("written"),
        Err(error) => {
            app.metrics.artifact("failed");
            tracing::warn!(%error, "a run could not be written into ARTIFACTS_DIR");
        }
    }
}

async fn write(app: &App, artifacts: &Artifacts, run_id: Uuid) -> Result<(), NotWritten> {
    let Some(run) = runs::find(&app.pool, run_id).await?.filter(|run| run.status != Status::Processing) else {
        return Ok(());
    };
    let pages = pages::list(&app.pool, run_id, run.generation).await?;
    let files = legacy::files(&run, &pages);
    let place = artifacts.on_disk(move |root| folder::Writing::begin(root, run_id)).await?;
    if let Some(key) = &run.document_key {
        let name = legacy::document_name(run.content_type.as_deref());
        app.documents.download(key, &place.path().join(name)).await?;
    }
    let day = legacy::folder_day(run.created_at);
    artifacts.on_disk(move |root| place.finish(root, day, run_id, &files)).await?;
    // Erased in between: whoever erased it has looked for these files before they were there.
    if runs::find(&app.pool, run_id).await?.is_none() {
        artifacts.remove(run_id).await?;
    }
    Ok(())
}

/// An erasure of this run: its files go too, unless the run itself is still there (its document's term is over).
///
/// # Errors
/// They cannot be removed yet, or nobody knows whether the run is there.
pub async fn erase(app: &App, run_id: Uuid) -> Result<(), String> {
    let Some(artifacts) = &app.artifacts else { return Ok(()) };
    let there = runs::find(&app.pool, run_id).await.map_err(|error| error.to_string())?;
    if there.is_some() {
        return Ok(());
    }
    if artifacts.remove(run_id).await.map_err(|error| error.to_string())? {
        app.metrics.artifact("removed");
    }
    Ok(())
}
