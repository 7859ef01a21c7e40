//! What a run takes up, by table and index.

use anyhow::Context as _;
use shared::store::Pool;
use sqlx::Row as _;

use crate::bench::report::Table;

/// Bytes of every table that grows with the runs and of each of its indexes, over the runs there are.
///
/// # Errors
/// The database is away.
pub async fn measure(pool: &Pool, runs: u64) -> anyhow::Result<String> {
    let rows = sqlx::query(
        "WITH leaf AS (
            SELECT p.relname AS parent, c.oid, c.reltoastrelid FROM pg_class c
            JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent
            WHERE p.relname IN ('verification_runs', 'verification_errors', 'ocr_pages', 'llm_calls') AND c.relkind = 'r'
        ), part AS (
            SELECT parent, 'rows' AS what, pg_relation_size(oid) AS bytes FROM leaf
            UNION ALL
            SELECT parent, 'rows out of line', pg_total_relation_size(reltoastrelid) FROM leaf WHERE reltoastrelid <> 0
            UNION ALL
            SELECT leaf.parent, own.relname, pg_relation_size(x.indexrelid)
            FROM leaf JOIN pg_index x ON x.indrelid = leaf.oid
            JOIN pg_inherits i ON i.inhrelid = x.indexrelid JOIN pg_class own ON own.oid = i.inhparent
        )
        SELECT parent::text, what::text, sum(bytes)::bigint AS bytes FROM part GROUP BY 1, 2
        ORDER BY 1, CASE what WHEN 'rows' THEN 0 WHEN 'rows out of line' THEN 1 ELSE 2 END, 3 DESC",
    )
    .fetch_all(pool)
    .await
    .context("the sizes cannot be read")?;
    let mut table = Table::new(["table", "part", "bytes a run"]);
    let mut all = 0.0;
    for row in rows {
        let (parent, what, bytes): (String, String, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let bytes = bytes as f64 / runs as f64;
        all += bytes;
        if bytes >= 0.05 {
            table.row([parent, what, format!("{bytes:.1}")]);
        }
    }
    table.row(["all".to_owned(), String::new(), format!("{all:.0}")]);
    Ok(table.to_string())
}
