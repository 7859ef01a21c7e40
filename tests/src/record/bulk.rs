//! Runs in bulk into a database that nobody uses: what words and names are found by is built when all are there, which
//! takes a third of the time.

use std::sync::Arc;

use shared::seed::Plan;
use shared::store::{Pool, StoreError, seed};

/// Writes a plan's runs.
///
/// # Errors
/// The database is away.
pub async fn write(pool: &Pool, plan: &Arc<Plan>) -> Result<(), StoreError> {
    let definitions: Vec<(String, String)> = sqlx::query_as(
        "SELECT i.indexrelid::regclass::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relkind = 'I' AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'gin')",
    )
    .fetch_all(pool)
    .await?;
    for (name, _) in &definitions {
        execute(pool, format!("DROP INDEX {name}")).await?;
    }
    seed::write_all(pool, plan, 2, |_| {}).await?;
    for (_, definition) in definitions {
        execute(pool, definition).await?;
    }
    seed::settle(pool).await
}

async fn execute(pool: &Pool, statement: String) -> Result<(), StoreError> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(pool).await?;
    Ok(())
}
