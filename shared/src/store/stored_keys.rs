//! Which of the document store's keys the record names.

use super::{Pool, StoreError};

/// Those of `keys` that no run, no page and no erasure names.
///
/// # Errors
/// The database is away.
pub async fn unnamed(pool: &Pool, keys: &[String]) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT k.key AS "key!" FROM unnest($1::text[]) AS k (key)
           WHERE NOT EXISTS (SELECT FROM verification_runs r WHERE r.document_key = k.key)
             AND NOT EXISTS (SELECT FROM ocr_pages p WHERE p.image_key = k.key)
             AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = 'erase' AND j.payload -> 'keys' ? k.key)"#,
        keys
    )
    .fetch_all(pool)
    .await?)
}
