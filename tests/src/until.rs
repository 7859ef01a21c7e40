//! Waiting for what can only be asked for: a row, a file, an answer.

use std::time::Duration;

use tokio::time::Instant;

/// How long anything may take on a busy machine; a limit, not an expectation.
const LIMIT: Duration = Duration::from_secs(120);

/// How often is asked.
const ASK: Duration = Duration::from_millis(25);

/// What `ask` answers as soon as it answers something.
///
/// # Panics
/// Where that does not happen; `what` says what was waited for.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "after {} s there is still no {what}", LIMIT.as_secs());
        tokio::time::sleep(ASK).await;
    }
}
