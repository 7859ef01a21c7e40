//! Whatever dies in the middle: the next one goes on, nothing is lost and nothing doubled.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;

use shared::retention::DUTY;
use shared::store::erasures::{self, Eraser};
use shared::store::retention::{self, RUN_TABLES};
use shared::store::{duties, months};
use tempfile::TempDir;
use uuid::Uuid;

use crate::house::{House, Old};

/// Goes on with a future so many times, and drops it where it stands then.
async fn cut_off<F: Future>(steps: usize, future: F) -> Option<F::Output> {
    let (mut future, mut left) = (pin!(future), steps);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A round that dies after so many steps; true: it lived to its end.
async fn dying_round(house: &House, steps: usize) -> bool {
    // Whoever follows has another name: the one that died does not let go.
    let scratch = TempDir::new().unwrap();
    sqlx::query("UPDATE duties SET until = now() WHERE name = $1").bind(DUTY).execute(house.pool()).await.unwrap();
    assert!(duties::take(house.pool(), DUTY, "test", shared::retention::TERM).await.unwrap());
    let ended = cut_off(steps, house.keeper(scratch.path()).keep()).await;
    ended.is_some_and(|report| report.unwrap().failures.is_empty())
}

/// Where each run is: it must be in the database or in a readable archive at every moment.
async fn nothing_is_lost(house: &House, month: chrono::NaiveDate, all: &BTreeSet<Uuid>) {
    let mut there: BTreeSet<Uuid> = house.runs().await.into_iter().collect();
    if house.store.path().join(shared::archive::folder(month)).join("manifest.json").exists() {
        let archived = house.archived_runs(month).await;
        let once: BTreeSet<Uuid> = archived.iter().copied().collect();
        assert_eq!(once.len(), archived.len(), "a run is in the archive twice");
        there.extend(once);
    }
    for (table, detached) in retention::detached(house.pool()).await.unwrap() {
        if table == "verification_runs" && detached == month {
            let rows = format!("SELECT run_id FROM verification_runs_{}", month.format("%Y_%m"));
            let rows: Vec<Uuid> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(house.pool()).await.unwrap();
            there.extend(rows);
        }
    }
    assert!(all.is_subset(&there), "a run is in no place");
}

/// The runs whose pages are in the database or in the archive.
async fn pages(house: &House, month: chrono::NaiveDate) -> BTreeSet<Uuid> {
    let mut there = BTreeSet::new();
    if house.store.path().join(shared::archive::folder(month)).join("manifest.json").exists() {
        let (columns, rows) = house.archived(month, "ocr_pages").await;
        let at = columns.iter().position(|column| column.name == "run_id").unwrap();
        there.extend(rows.iter().map(|row| row[at].text().unwrap().parse::<Uuid>().unwrap()));
    }
    let kept: Vec<Uuid> = sqlx::query_scalar("SELECT run_id FROM ocr_pages").fetch_all(house.pool()).await.unwrap();
    there.extend(kept);
    there
}

#[tokio::test]
async fn a_month_that_is_deleted_run_by_run_survives_a_death_at_any_point() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let mut all = BTreeSet::new();
    for _ in 0..3 {
        all.insert(house.add(bank, Old::success(91)).await);
    }
    let month = house.month(91);
    let mut steps = 5;
    while !dying_round(&house, steps).await {
        nothing_is_lost(&house, month, &all).await;
        // One more comes due now and then.
        if steps % 10 == 0 && all.len() < 8 {
            all.insert(house.add(bank, Old::success(91)).await);
        }
        steps += 5;
        assert!(steps < 5000, "it never ends");
    }
    house.keep().await;
    assert!(house.runs().await.is_empty());
    assert_eq!(house.archived_runs(month).await, all.into_iter().collect::<Vec<_>>());
    assert_eq!(house.archive_files(month).len(), RUN_TABLES.len() + 1, "nothing of those who died is left");
}

#[tokio::test]
async fn a_month_that_is_dropped_survives_a_death_at_any_point() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let days = house.in_a_month_older_than(200);
    let month = house.month(days);
    let mut all = BTreeSet::new();
    for _ in 0..3 {
        all.insert(house.add(bank, Old::success(days)).await);
        all.insert(house.add(bank, Old::error(days)).await);
    }
    let mut steps = 4;
    while !dying_round(&house, steps).await {
        nothing_is_lost(&house, month, &all).await;
        assert_eq!(pages(&house, month).await, all, "a page is in no place");
        steps += 4;
        assert!(steps < 5000, "it never ends");
    }
    house.keep().await;
    assert!(retention::detached(house.pool()).await.unwrap().is_empty());
    assert!(!retention::attached(house.pool(), "callbacks").await.unwrap().contains(&month));
    assert_eq!(house.archived_runs(month).await, all.into_iter().collect::<Vec<_>>());
    assert_eq!(house.archived(month, "ocr_pages").await.1.len(), 6);
    assert!(months::horizon(house.pool()).await.unwrap().is_some(), "the months to come are untouched");
}

#[tokio::test]
async fn an_archive_that_is_written_anew_survives_a_death_at_any_point() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let erased = house.add(bank, Old::success(91)).await;
    let stays = house.add(bank, Old::success(91)).await;
    let month = house.month(91);
    house.keep().await;
    let eraser = Eraser { actor: "key", ip_address: None, trace_context: "" };
    assert!(erasures::erase(house.pool(), erased, bank, &eraser).await.unwrap());
    let mut steps = 5;
    while !dying_round(&house, steps).await {
        assert!(house.archived_runs(month).await.contains(&stays), "the other run is there at every moment");
        steps += 5;
        assert!(steps < 5000, "it never ends");
    }
    house.keep().await;
    assert_eq!(house.archived_runs(month).await, [stays]);
    assert_eq!(house.archive_files(month).len(), RUN_TABLES.len() + 1);
}
