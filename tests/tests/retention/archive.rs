//! What is in the archive, and how a month goes.

use std::collections::BTreeMap;

use shared::archive::{Archive, Cell};
use shared::store::retention::{self, RUN_TABLES};
use tempfile::TempDir;

use crate::house::{House, Old, by_name};

#[tokio::test]
async fn a_month_whose_longest_term_is_past_is_archived_whole_and_dropped() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let days = house.in_a_month_older_than(181);
    let month = house.month(days);
    let mut runs = vec![house.add(bank, Old::success(days)).await, house.add(bank, Old::error(days)).await];
    runs.sort_unstable();
    let report = house.keep().await;
    assert_eq!((report.archived, report.deleted, report.failures), (2, 0, vec![]));
    assert!(report.dropped >= 1);
    for table in RUN_TABLES {
        assert!(!retention::attached(house.pool(), table).await.unwrap().contains(&month), "{table}");
    }
    assert!(retention::detached(house.pool()).await.unwrap().is_empty());
    assert_eq!(house.archived_runs(month).await, runs);
    let expected = [2, 1, 2, 2, 2, 2, 2];
    for (table, rows) in RUN_TABLES.iter().zip(expected) {
        assert_eq!(house.archived(month, table).await.1.len(), rows, "{table}");
    }
    let mut files: Vec<String> = RUN_TABLES.iter().map(|table| format!("{table}.parquet")).collect();
    files.push("manifest.json".into());
    files.sort_unstable();
    assert_eq!(house.archive_files(month), files, "one file for each table");
    assert_eq!(house.count("SELECT count(*) FROM archived_runs").await, 2);
}

#[tokio::test]
async fn what_is_read_back_is_what_the_database_had() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let run_id = house.add(bank, Old { iin: Some("900101300123"), ..Old::success(91) }).await;
    let month = house.month(91);
    // The database's own words for each value, by another way than the archive's.
    let mut expected: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
    for table in RUN_TABLES {
        let row = format!("SELECT to_jsonb(t) FROM {table} t WHERE run_id = $1");
        let row = sqlx::query_scalar(sqlx::AssertSqlSafe(row)).bind(run_id).fetch_optional(house.pool()).await.unwrap();
        expected.insert(table, row.unwrap_or_default());
    }
    house.keep().await;
    for (table, row) in expected {
        let (columns, rows) = house.archived(month, table).await;
        if row.is_null() {
            assert!(rows.is_empty(), "{table}");
            continue;
        }
        let archived = by_name(&columns, &rows[0]);
        let names: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert!(archived.keys().all(|name| names.contains(&name)), "{table}");
        for (name, value) in row.as_object().unwrap() {
            // What the database computes from other columns is not archived.
            let Some(cell) = archived.get(name) else { continue };
            assert!(same(value, cell), "{table}.{name}: {value} became {cell:?}");
        }
    }
    let (columns, rows) = house.archived(month, "verification_runs").await;
    let archived = by_name(&columns, &rows[0]);
    assert_eq!(archived["iin"], Cell::Text("900101300123".into()));
    assert_eq!(archived["extracted_doc_date"], Cell::Int(18_321), "29 February 2020 in days since 1970");
    assert_eq!(archived["created_at"], Cell::Int(house.ago(91).timestamp_millis() * 1000));
    let (columns, rows) = house.archived(month, "llm_calls").await;
    assert_eq!(by_name(&columns, &rows[0])["cost"], Cell::Text("0.002000".into()), "money to its last digit");
}

/// Whether a cell says what the database's JSON says.
fn same(value: &serde_json::Value, cell: &Cell) -> bool {
    use serde_json::Value;
    match (value, cell) {
        (Value::Null, Cell::Null) => true,
        (Value::Bool(yes), Cell::Bool(archived)) => yes == archived,
        (Value::Number(number), Cell::Int(archived)) => number.as_i64() == Some(*archived),
        (Value::Number(number), Cell::Double(archived)) => number.as_f64() == Some(*archived),
        (Value::Number(number), Cell::Text(archived)) => number.as_f64() == archived.parse().ok(),
        (Value::String(text), Cell::Text(archived)) => text == archived || format!("{text}/32") == *archived,
        (Value::String(text), Cell::Bytes(archived)) => {
            *text == archived.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
        (Value::String(text), Cell::Int(archived)) => {
            let time = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_micros());
            let days = text.parse().map(|day: chrono::NaiveDate| (day - chrono::NaiveDate::default()).num_days());
            time.ok() == Some(*archived) || days.ok() == Some(*archived)
        }
        (Value::Array(_) | Value::Object(_), Cell::Text(archived)) => {
            serde_json::from_str::<Value>(archived).is_ok_and(|archived| archived == *value)
        }
        _ => false,
    }
}

#[tokio::test]
async fn a_months_archive_grows_and_closes_with_the_longest_term() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    // In error for 179 days: the month of both cannot close yet.
    let days = house.in_a_month_older_than(100);
    let month = house.month(days);
    let accepted = house.add(bank, Old::success(days)).await;
    let failed = house.add(bank, Old::error(days)).await;
    assert_eq!(house.keep().await.archived, 1);
    assert_eq!((house.archived_runs(month).await, house.runs().await), (vec![accepted], vec![failed]));
    // Days later.
    let (later, terms) =
        (shared::domain::terms::Terms { error: house.terms.success, ..house.terms.clone() }, &house.terms);
    assert_ne!(&later, terms);
    let house = House { terms: later, ..house };
    let report = house.keep().await;
    assert_eq!((report.archived, report.failures), (1, vec![]));
    let mut both = vec![accepted, failed];
    both.sort_unstable();
    assert_eq!(house.archived_runs(month).await, both);
    assert!(!retention::attached(house.pool(), "verification_runs").await.unwrap().contains(&month));
    let files = house.archive_files(month);
    assert_eq!(files.len(), RUN_TABLES.len() + 1, "the files of before are gone: {files:?}");
}

#[tokio::test]
async fn a_month_is_not_dropped_while_it_holds_what_no_archive_has() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let days = house.in_a_month_older_than(200);
    let month = house.month(days);
    let run_id = house.add(bank, Old::success(days)).await;
    // A page of no run: a fault of somebody's, and yet somebody's.
    sqlx::query("UPDATE ocr_pages SET run_id = uuid7_floor(uuid7_time(run_id)) WHERE run_id = $1")
        .bind(run_id)
        .execute(house.pool())
        .await
        .unwrap();
    let report = house.keep().await;
    let failure = report.failures.iter().find(|failure| failure.contains("ocr_pages")).expect("it says so");
    assert!(failure.contains("1 rows of ocr_pages") && failure.contains("the month stays"), "{failure}");
    assert!(retention::attached(house.pool(), "ocr_pages").await.unwrap().contains(&month), "the table went back");
    assert_eq!(house.count("SELECT count(*) FROM ocr_pages").await, 1);
    assert!(!report.again, "trying again does not help");
}

#[tokio::test]
async fn an_archive_that_was_changed_is_not_written_over() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    house.add(bank, Old::success(95)).await;
    let month = house.month(95);
    house.keep().await;
    house
        .documents
        .put(&format!("{}/verification_runs.parquet", shared::archive::folder(month)), (&b"x"[..]).into())
        .await
        .unwrap();
    let stays = house.add(bank, Old::success(95)).await;
    let report = house.keep().await;
    assert!(report.failures[0].contains("is not as it was written"), "{:?}", report.failures);
    assert_eq!(house.runs().await, [stays], "nothing leaves the database");
}

#[tokio::test]
async fn a_month_of_the_audit_past_its_term_is_archived_and_dropped() {
    let house = House::new().await;
    let days = house.in_a_month_older_than(5 * 366 + 40);
    let (month, at) = (house.month(days), house.ago(days));
    sqlx::query("SELECT make_month_partitions($1, $1)").bind(month).execute(house.pool()).await.unwrap();
    sqlx::query(
        "INSERT INTO audit_events (event_id, at, actor, action, outcome, details)
         SELECT (left(uuid7_floor($1 + n * interval '1 second')::text, 14) || '7000-8000-000000000000')::uuid, $1, 'key', 'run.read', 'done', '{}'
         FROM generate_series(1, 450) n",
    )
    .bind(at)
    .execute(house.pool())
    .await
    .unwrap();
    let kept = house.count("SELECT count(*) FROM audit_events").await - 450;
    let report = house.keep().await;
    assert_eq!((report.audit_months, report.failures), (1, vec![]));
    assert_eq!(house.count("SELECT count(*) FROM audit_events").await, kept);
    assert_eq!(house.archived(month, "audit_events").await.1.len(), 450);
    assert!(!retention::attached(house.pool(), "audit_events").await.unwrap().contains(&month));
    let scratch = TempDir::new().unwrap();
    let archive = Archive::new(house.documents.clone(), scratch.path());
    assert_eq!(archive.months().await.unwrap(), [month]);
}
