//! Waiting for the database: a statement that failed because it is away is tried again until it is back.

use std::time::Duration;

use rand::Rng as _;
use shared::store::StoreError;

use crate::app::App;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Tries until the statement succeeds or cannot succeed. None: the worker's time to stop has come first.
/// Every statement that is tried so is guarded by a lease or names the state it starts from, so that doing
/// it twice does nothing twice.
pub async fn until_done<T, F>(app: &App, complaint: &str, statement: impl Fn() -> F) -> Option<Result<T, StoreError>>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match statement().await {
            Err(error) if error.retryable() => tracing::warn!(%error, "{complaint}: the database is away"),
            done => return Some(done),
        }
        let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.5));
        tokio::select! {
            () = app.deadline.cancelled() => return None,
            () = tokio::time::sleep(jittered) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
