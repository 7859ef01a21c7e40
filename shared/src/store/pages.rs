//! What was read, page by page, of the newest generation.

use uuid::Uuid;

use super::{Pool, StoreError};

/// One page as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRow {
    /// From 1.
    pub page_number: i32,
    /// What was read.
    pub text_content: String,
    /// Mean confidence of its words, 0 to 1.
    pub confidence: Option<f32>,
    /// Where the text came from.
    pub source: String,
    /// The upright page's picture in the document store.
    pub image_key: Option<String>,
}

/// The pages of a run's newest generation, in order.
///
/// # Errors
/// The database is unavailable.
pub async fn list(pool: &Pool, run_id: Uuid, generation: i32) -> Result<Vec<PageRow>, StoreError> {
    Ok(sqlx::query_as!(
        PageRow,
        "SELECT page_number, text_content, confidence, source, image_key FROM ocr_pages
         WHERE run_id = $1 AND generation = $2 ORDER BY page_number",
        run_id,
        generation
    )
    .fetch_all(pool)
    .await?)
}

/// Where the picture of a page is: none where there is no such page or no picture of it.
///
/// # Errors
/// The database is unavailable.
pub async fn image_key(pool: &Pool, run_id: Uuid, generation: i32, page: i32) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT image_key FROM ocr_pages WHERE run_id = $1 AND generation = $2 AND page_number = $3",
        run_id,
        generation,
        page
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.flatten())
}
