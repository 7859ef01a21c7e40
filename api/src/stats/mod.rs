//! The routes under `/v1/stats`, one file for each: figures of what ended, by day in `TIME_ZONE`.

mod daily;
mod errors;
mod latency;
mod llm;
mod question;
mod runs;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(daily::daily))
        .routes(routes!(errors::errors))
        .routes(routes!(latency::latency))
        .routes(routes!(llm::llm))
        .routes(routes!(runs::slow_runs))
        .routes(routes!(runs::recent_failures))
}

/// What the figures are of.
#[derive(Debug, Serialize, ToSchema)]
pub struct Covered {
    /// The first day: by the run's creation, as are all days here.
    pub created_from: NaiveDate,
    /// The last day, included.
    pub created_to: NaiveDate,
    /// Where a day is a day.
    #[schema(example = "Asia/Almaty")]
    pub time_zone: &'static str,
    /// Whose; named to operators only, and null where the figures are of all clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Option<String>>,
}

/// A part of a whole; null where the whole is nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of runs are far below 2^52")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_no_share_of_nothing() {
        assert_eq!([super::share(0, 0), super::share(1, 4)], [None, Some(0.25)]);
    }
}
