//! Rows of a month's table as they go to the archive. The columns are the database's own, so that what a migration
//! adds is archived without a word here; those that the database computes from others are left out.

use chrono::NaiveDate;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::partition;
use crate::archive::{Cell, Column, Kind, Row};
use crate::store::{Pool, StoreError};

/// How a month's table is read.
#[derive(Clone, Debug)]
pub struct RowSource {
    /// What is read.
    pub columns: Vec<Column>,
    select: String,
    table: String,
    id_column: String,
}

/// Of a table's month; none where there is no such table (any more).
///
/// # Errors
/// The database is away.
pub async fn source(pool: &Pool, table: &str, month: NaiveDate) -> Result<Option<RowSource>, StoreError> {
    let name = partition(table, month);
    let columns = sqlx::query!(
        r#"SELECT quote_ident(a.attname) AS "quoted!", a.attname AS "name!", t.typname AS "type_name!",
                  t.typcategory = 'A' AS "list!"
           FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
             AND t.typname <> 'tsvector'
           ORDER BY a.attnum"#,
        name
    )
    .fetch_all(pool)
    .await?;
    if columns.is_empty() {
        return Ok(None);
    }
    let id_column = sqlx::query_scalar!("SELECT id_column FROM monthly_tables WHERE table_name = $1", table)
        .fetch_one(pool)
        .await?;
    let (mut kinds, mut select) = (Vec::new(), Vec::new());
    for column in columns {
        let (kind, expression) = read_as(&column.quoted, &column.type_name, column.list);
        kinds.push(Column::new(column.name, kind));
        select.push(expression);
    }
    Ok(Some(RowSource { columns: kinds, select: select.join(", "), table: name, id_column }))
}

/// What a column of this type becomes, and the expression that reads it.
fn read_as(quoted: &str, type_name: &str, list: bool) -> (Kind, String) {
    match type_name {
        _ if list => (Kind::Text, format!("to_jsonb({quoted})::text")),
        "bool" => (Kind::Bool, quoted.to_owned()),
        "int2" | "int4" | "int8" => (Kind::Int, format!("{quoted}::int8")),
        "float4" | "float8" => (Kind::Double, format!("{quoted}::float8")),
        "timestamptz" => (Kind::Time, format!("(extract(epoch FROM {quoted}) * 1000000)::int8")),
        "date" => (Kind::Date, format!("({quoted} - DATE '1970-01-01')::int8")),
        "bytea" => (Kind::Bytes, quoted.to_owned()),
        // Ids, addresses, JSON, decimals to their last digit.
        _ => (Kind::Text, format!("{quoted}::text")),
    }
}

/// The rows of these ids, in the order of the ids.
///
/// # Errors
/// The database is away.
pub async fn rows_of(pool: &Pool, source: &RowSource, ids: &[Uuid]) -> Result<Vec<Row>, StoreError> {
    let RowSource { select, table, id_column, .. } = source;
    let statement = format!("SELECT {select} FROM {table} WHERE {id_column} = ANY ($1) ORDER BY {id_column}");
    let rows = sqlx::query(AssertSqlSafe(statement)).bind(ids).fetch_all(pool).await?;
    rows.iter().map(|row| cells(row, &source.columns)).collect()
}

/// The ids of the first rows after this id, `count` at most, in order.
///
/// # Errors
/// The database is away.
pub async fn first_rows(pool: &Pool, source: &RowSource, after: Uuid, count: i64) -> Result<Vec<Uuid>, StoreError> {
    let RowSource { table, id_column, .. } = source;
    let statement = format!("SELECT {id_column} FROM {table} WHERE {id_column} > $1 ORDER BY {id_column} LIMIT $2");
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).bind(after).bind(count).fetch_all(pool).await?)
}

fn cells(row: &PgRow, columns: &[Column]) -> Result<Row, StoreError> {
    let cell = |(at, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
            Kind::Int | Kind::Time | Kind::Date => row.try_get::<Option<i64>, _>(at)?.map(Cell::Int),
            Kind::Double => row.try_get::<Option<f64>, _>(at)?.map(Cell::Double),
            Kind::Bool => row.try_get::<Option<bool>, _>(at)?.map(Cell::Bool),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
        }
        .unwrap_or(Cell::Null))
    };
    columns.iter().enumerate().map(cell).collect()
}
