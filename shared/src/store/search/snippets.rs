//! What stands around the words that were looked for, in the text of the runs of one page of a listing.

use std::collections::HashMap;

use uuid::Uuid;

use super::super::{Pool, StoreError};
use super::slots::Slots;

/// Stands before a word that was looked for. A private sign of Unicode, which no text of a document keeps here.
pub const HIT_BEGINS: char = '\u{E000}';
/// Stands behind it.
pub const HIT_ENDS: char = '\u{E001}';

/// For each of these runs that has one of the words on a page: what stands around the first on the first such page,
/// and around another where it is far away.
///
/// # Errors
/// As [`super::page`].
pub async fn snippets(
    pool: &Pool,
    slots: &Slots,
    run_ids: &[Uuid],
    words: &[String],
) -> Result<HashMap<Uuid, String>, StoreError> {
    if run_ids.is_empty() || words.is_empty() {
        return Ok(HashMap::new());
    }
    let _slot = slots.take().await?;
    // Any of the words, since they may stand on different pages. A run with one page has them there: it need not be
    // looked at to know.
    let rows = sqlx::query!(
        r#"WITH wanted AS MATERIALIZED (
               SELECT string_agg('(' || words_wanted(word)::text || ')', ' | ')::tsquery AS any_word
               FROM unnest($2::text[]) AS word WHERE numnode(words_wanted(word)) > 0
           )
           SELECT found.run_id AS "run_id!", words_snippet(page.text_content, wanted.any_word) AS "snippet!"
           FROM wanted, unnest((SELECT $1::uuid[])) AS found (run_id)
           JOIN verification_runs r ON r.run_id = found.run_id
           CROSS JOIN LATERAL (
               SELECT p.text_content FROM ocr_pages p
               WHERE p.run_id = found.run_id AND p.generation = r.generation
                 AND (p.run_words IS NULL OR text_words(p.text_content) @@ wanted.any_word)
               ORDER BY p.page_number LIMIT 1
           ) AS page
           WHERE wanted.any_word IS NOT NULL"#,
        run_ids,
        words
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.run_id, row.snippet)).collect())
}
