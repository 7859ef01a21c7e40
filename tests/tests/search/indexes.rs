//! Indexes that a step of the migrations left to be built.

use harness::services::Database;
use shared::store::{Pool, migrate};

async fn valid(pool: &Pool) -> bool {
    sqlx::query_scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ocr_pages_run_words'::regclass")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_index_that_a_step_left_is_built_month_by_month_also_after_a_break() {
    let database = Database::fresh().await;
    let pool = database.pool();
    assert!(valid(pool).await);
    // As the step leaves it where there are months already, and as a break leaves one of them.
    sqlx::raw_sql(
        "DROP INDEX ocr_pages_run_words;
         CREATE INDEX ocr_pages_run_words ON ONLY ocr_pages USING gin (page_words(run_words, text_content))
             WITH (gin_pending_list_limit = 1024)",
    )
    .execute(pool)
    .await
    .unwrap();
    let month: String =
        sqlx::query_scalar("SELECT to_char(now() AT TIME ZONE 'UTC', '_YYYY_MM')").fetch_one(pool).await.unwrap();
    let broken = format!("CREATE INDEX ocr_pages_run_words{month} ON ocr_pages{month} (run_id)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(broken)).execute(pool).await.unwrap();
    assert!(!valid(pool).await);
    migrate(pool).await.unwrap();
    assert!(valid(pool).await);
    let kind: String = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT pg_get_indexdef('ocr_pages_run_words{month}'::regclass)"
    )))
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(kind.contains("USING gin") && kind.contains("gin_pending_list_limit"), "{kind}");
}
