//! The model's calls of a run.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Pool, StoreError};

/// One call as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow {
    /// Which generation of the run it belongs to.
    pub generation: i32,
    /// From 1 in its generation.
    pub call_number: i32,
    /// `doc_type_check` or `extractor`.
    pub call_type: String,
    /// Which model.
    pub model: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_seconds: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<i32>,
    /// Tokens of the answer.
    pub completion_tokens: Option<i32>,
    /// Tokens in all.
    pub total_tokens: Option<i32>,
    /// In the currency of the price list.
    pub cost: Option<f64>,
    /// `ok`, or why the answer could not be used.
    pub outcome: String,
}

/// The calls of a run's newest generation, in order.
///
/// # Errors
/// The database is unavailable.
pub async fn list(pool: &Pool, run_id: Uuid, generation: i32) -> Result<Vec<CallRow>, StoreError> {
    Ok(sqlx::query_as!(
        CallRow,
        "SELECT generation, call_number, call_type, model, started_at, duration_seconds, prompt_tokens,
                completion_tokens, total_tokens, cost::float8 AS cost, outcome
         FROM llm_calls WHERE run_id = $1 AND generation = $2 ORDER BY call_number",
        run_id,
        generation
    )
    .fetch_all(pool)
    .await?)
}
