//! Counts the calls to the store, as those to any other service outside.

use std::time::Instant;

use crate::telemetry::{Metrics, Outcome, OutsideCall};

/// Counts, where it is told of metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Option<Metrics>);

impl Calls {
    pub(super) const fn counted_by(metrics: Metrics) -> Self {
        Self(Some(metrics))
    }

    /// Makes a call. What the store does not have or will not give is `refused`, all else `failed`.
    pub(super) async fn count<T>(
        &self,
        call: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        use object_store::Error;
        let start = Instant::now();
        let answer = call.await;
        if let Some(metrics) = &self.0 {
            let outcome = match &answer {
                Ok(_) => Outcome::Ok,
                Err(Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => {
                    Outcome::Refused
                }
                Err(_) => Outcome::Failed,
            };
            metrics.outside_call(OutsideCall { service: "store", outcome, duration: start.elapsed() });
        }
        answer
    }
}
