//! The broker's dead letters move to the table `dead_jobs`, where people look.

use shared::queue::{DeadMessage, QueueError, take_dead};
use shared::store::StoreError;
use shared::store::dead_jobs::{NewDeadMessage, keep_messages};

use crate::app::App;

const AT_ONCE: usize = 100;

#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

pub(super) async fn keep(app: &App) -> Result<(), StoreError> {
    let Ok(session) = app.broker.session() else { return Ok(()) };
    let kept = take_dead(&session, AT_ONCE, async |letters: &[DeadMessage]| -> Result<(), KeepError> {
        let letters: Vec<_> = letters
            .iter()
            .map(|letter| NewDeadMessage {
                job_id: letter.message.map(|message| message.job_id),
                run_id: letter.message.map(|message| message.run_id),
                reason: letter.reason.clone(),
            })
            .collect();
        let kept = keep_messages(&app.pool, &letters).await?;
        for _ in 0..kept {
            app.metrics.dead_letter("message");
        }
        Ok(())
    })
    .await;
    match kept {
        Ok(0) => Ok(()),
        Ok(count) => {
            tracing::warn!(count, "the broker's dead letters were taken to the table");
            Ok(())
        }
        Err(KeepError::Store(error)) => Err(error),
        Err(KeepError::Queue(error)) => {
            tracing::warn!(%error, "the broker's dead letters cannot be taken");
            session.fail();
            Ok(())
        }
    }
}
