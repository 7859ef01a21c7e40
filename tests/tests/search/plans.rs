//! Plans of searches on two hundred thousand runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Datelike as _, Months, TimeDelta, Utc};
use harness::record::bulk;
use harness::records::client;
use harness::services::Database;
use serde_json::Value;
use shared::domain::names::fio_search;
use shared::domain::{ErrorCode, Status};
use shared::seed::Plan;
use shared::store::Pool;
use shared::store::search::{Filter, Pace, explain};
use uuid::Uuid;

/// Tables with rows for each run.
const LARGE: [&str; 4] = ["verification_runs", "ocr_pages", "verification_errors", "llm_calls"];

/// Each table that a plan reads, and how.
fn reads(plan: &Value, found: &mut Vec<(String, String)>) {
    if let (Some(table), Some(node)) = (plan["Relation Name"].as_str(), plan["Node Type"].as_str()) {
        found.push((table.to_owned(), node.to_owned()));
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        reads(part, found);
    }
}

/// No large table is read from end to end. Answers the partitions of runs and pages that are read.
fn is_by_index(filter: &Filter, plans: &[Value]) -> BTreeSet<String> {
    let mut found = Vec::new();
    for plan in plans {
        reads(&plan[0]["Plan"], &mut found);
    }
    for (table, node) in &found {
        let large = LARGE.iter().any(|large| table.starts_with(large));
        assert!(!large || node != "Seq Scan", "{filter:?} reads all of {table}: {plans:?}");
    }
    found.into_iter().map(|(table, _)| table).collect()
}

fn id_at(at: chrono::DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::try_from(at.timestamp_millis()).unwrap() << 80)
}

async fn seeded(pool: &Pool, runs: u64) -> Arc<Plan> {
    let mut clients = Vec::new();
    for name in ["large", "middle", "small"] {
        clients.push(client(pool, name).await);
    }
    let until = Utc::now();
    let from = until.checked_sub_months(Months::new(3)).unwrap();
    let plan = Arc::new(Plan { runs, from, until, seed: 1, text_bytes: 400, clients });
    bulk::write(pool, &plan).await.unwrap();
    plan
}

/// One filter of each kind, with values that many, few and none have.
fn filters(plan: &Plan) -> Vec<Filter> {
    let mut filters = vec![Filter::default()];
    let any = Filter::default;
    for status in [Status::Processing, Status::Success, Status::Error] {
        filters.push(Filter { status: Some(status), ..any() });
    }
    filters.extend([true, false].map(|verdict| Filter { verdict: Some(verdict), ..any() }));
    filters.extend(
        [ErrorCode::DocDateTooOld, ErrorCode::Cancelled, ErrorCode::FileSaveFailed]
            .map(|code| Filter { error_code: Some(code), ..any() }),
    );
    for part in ["ова", "ахмет", "сулеймен", "ли", "ю", "щъ", "чумпирхов", "никтотакойнебыл", "ахметова айгул"]
    {
        filters.push(Filter { fio_search: Some(fio_search(part)), ..any() });
    }
    for words in ["справка", "отпуск без", "инвалидность", "небывалое", "52000001", "бұйрық қызметкер"]
    {
        filters.push(Filter { words: words.split(' ').map(ToOwned::to_owned).collect(), ..any() });
    }
    filters.extend(["52000777", "1"].map(|number| Filter { external_request_id: Some(number.into()), ..any() }));
    filters.push(Filter { iin: Some("000000000000".into()), ..any() });
    let mixed =
        Filter {
            fio_search: Some("иванов".into()), words: vec!["отпуск".into()], verdict: Some(false), ..any()
        };
    filters.push(mixed);
    let ours = filters.clone().into_iter().map(|filter| Filter { client_id: plan.clients.get(1).copied(), ..filter });
    filters.extend(ours.collect::<Vec<_>>());
    filters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_search_reads_a_whole_table_and_months_that_cannot_hold_it_are_left_alone() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let plan = seeded(pool, 200_000).await;
    // The month before this one: one whole partition.
    let first = plan.until.date_naive().with_day(1).unwrap().and_time(chrono::NaiveTime::MIN).and_utc();
    let month = (first - TimeDelta::days(1)).format("_%Y_%m").to_string();
    for filter in filters(&plan) {
        let pace = Pace::default();
        let (page, plans) = explain(pool, &filter, None, 50, &pace).await.unwrap();
        is_by_index(&filter, &plans);
        if let Some(next) = page.next {
            let (_, plans) = explain(pool, &filter, Some(next), 50, &pace).await.unwrap();
            is_by_index(&filter, &plans);
        }
        let from = first.checked_sub_months(Months::new(1)).map(id_at);
        let filter = Filter { from, before: Some(id_at(first)), ..filter };
        let (_, plans) = explain(pool, &filter, None, 50, &pace).await.unwrap();
        let tables = is_by_index(&filter, &plans);
        let large = tables.iter().filter(|table| LARGE.iter().any(|large| table.starts_with(large)));
        for table in large {
            let looked_up = plans.iter().any(|plan| plan.to_string().contains("Subplans Removed"));
            assert!(table.ends_with(&month) || looked_up, "{filter:?} reads {table}: {plans:?}");
        }
    }
}
