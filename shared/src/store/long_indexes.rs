//! Indexes that a step of the migrations made on a partitioned table only: they are built month by month beside those
//! who write, which no step can do, since it is one transaction.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};

use super::Pool;

/// What is held while indexes are built, by a connection of its own: migrations go past a pooler.
const LOCK: i64 = 0x7262_5f69_6478;

/// How often is asked for it.
const ASK: Duration = Duration::from_millis(100);

/// A month's table without an index that its parent has.
#[derive(sqlx::FromRow)]
struct Missing {
    parent_index: String,
    partition: String,
    /// `CREATE INDEX …` of the parent's.
    definition: String,
}

/// Builds what is missing; how many that were. What was begun and broken off is built anew.
///
/// # Errors
/// The database is away, or the role may not make indexes. What was built stays.
pub(super) async fn build(pool: &Pool) -> sqlx::Result<usize> {
    // Who attaches or drops a partition meanwhile is waited for, however long that takes.
    let mut connection = pool.acquire().await?;
    execute(&mut connection, "SET statement_timeout = 0".to_owned()).await?;
    alone(&mut connection).await?;
    let built = build_on(&mut connection).await;
    execute(&mut connection, format!("SELECT pg_advisory_unlock({LOCK}); RESET statement_timeout")).await?;
    built
}

/// Waits until nobody else builds; whoever dies lets go. It asks again and again: a statement that waits for the lock
/// has a snapshot, and an index that is built beside others waits for everybody who has one.
async fn alone(connection: &mut PgConnection) -> sqlx::Result<()> {
    while !sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(&mut *connection)
        .await?
    {
        tokio::time::sleep(ASK).await;
    }
    Ok(())
}

async fn build_on(connection: &mut PgConnection) -> sqlx::Result<usize> {
    let missing: Vec<Missing> = sqlx::query_as(
        "SELECT parent.indexrelid::regclass::text AS parent_index, inherits.inhrelid::regclass::text AS partition,
                pg_get_indexdef(parent.indexrelid) AS definition
         FROM pg_index parent
         JOIN pg_class index ON index.oid = parent.indexrelid AND index.relkind = 'I'
         JOIN pg_inherits inherits ON inherits.inhparent = parent.indrelid
         WHERE NOT parent.indisvalid AND index.relnamespace = current_schema()::regnamespace AND NOT EXISTS (
             SELECT FROM pg_inherits child JOIN pg_index own ON own.indexrelid = child.inhrelid
             WHERE child.inhparent = parent.indexrelid AND own.indrelid = inherits.inhrelid)
         ORDER BY 1, 2 DESC",
    )
    .fetch_all(&mut *connection)
    .await?;
    for Missing { parent_index, partition, definition } in &missing {
        let name = name_of(parent_index, partition);
        execute(connection, format!("DROP INDEX IF EXISTS {name}")).await?;
        execute(connection, on_partition(definition, &name, partition)).await?;
        execute(connection, format!("ALTER INDEX {parent_index} ATTACH PARTITION {name}")).await?;
    }
    Ok(missing.len())
}

async fn execute(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

/// The index of a month: its parent's name and the month. Our names need no quotes.
fn name_of(parent_index: &str, partition: &str) -> String {
    let month = partition.len().saturating_sub("_2026_11".len());
    format!("{parent_index}{}", &partition[month..])
}

/// The parent's definition for one partition: `CREATE [UNIQUE] INDEX name ON ONLY table USING …`.
fn on_partition(definition: &str, name: &str, partition: &str) -> String {
    let (head, tail) = definition.split_once(" USING ").unwrap_or((definition, ""));
    let unique = if head.starts_with("CREATE UNIQUE") { "UNIQUE " } else { "" };
    format!("CREATE {unique}INDEX CONCURRENTLY {name} ON {partition} USING {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_a_month_is_its_parents() {
        let parent =
            "CREATE INDEX runs_name ON ONLY public.runs USING gin (name gin_trgm_ops) WHERE (name IS NOT NULL)";
        let name = name_of("runs_name", "runs_2026_11");
        assert_eq!(
            on_partition(parent, &name, "runs_2026_11"),
            "CREATE INDEX CONCURRENTLY runs_name_2026_11 ON runs_2026_11 USING gin (name gin_trgm_ops) WHERE (name IS NOT NULL)"
        );
    }
}
