//! Pages of listings against the model.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use harness::records::client;
use harness::services::Database;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shared::store::Pool;
use shared::store::search::{Filter, Pace, Slots, explain, page};
use uuid::Uuid;

use super::known::{Known, some_filter};

/// Days that the runs are spread over: parts of three months at least.
const DAYS: i64 = 75;

/// Pieces so small that a few hundred runs are many.
fn small(dice: &mut StdRng) -> Pace {
    let look = dice.random_range(4..40);
    Pace {
        look,
        longest: look * 3,
        worth_walking: dice.random_range(1.0..60.0),
        named: dice.random_range(1..60),
        named_and_read: dice.random_range(1..20),
        pages: dice.random_range(2..60),
        read: [dice.random_range(1..10), 20],
        few: dice.random_range(0..30),
        time: if dice.random_bool(0.3) { Duration::ZERO } else { Duration::from_secs(60) },
    }
}

async fn months(pool: &Pool, from: DateTime<Utc>) {
    sqlx::query("SELECT make_month_partitions($1, now()::date)").bind(from.date_naive()).execute(pool).await.unwrap();
}

/// All that a walk through the pages meets, while runs arrive between them.
async fn walked(pool: &Pool, filter: &Filter, dice: &mut StdRng, clients: &[Uuid], runs: &mut Vec<Known>) -> Vec<Uuid> {
    let (mut met, mut after) = (Vec::new(), None);
    loop {
        let limit = dice.random_range(1..30);
        let (page, _) = explain(pool, filter, after, limit, &small(dice)).await.unwrap();
        assert!(page.run_ids.len() <= limit);
        met.extend(page.run_ids);
        let Some(next) = page.next else { return met };
        assert!(after.is_none_or(|after| next < after), "a page brings the walk on");
        after = Some(next);
        if runs.len() < 700 {
            let arrived = Known::some(dice, Utc::now(), clients);
            arrived.insert(pool).await;
            runs.push(arrived);
        }
    }
}

#[tokio::test]
async fn every_run_that_fits_comes_once_whatever_is_looked_for_and_whatever_arrives() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let clients = [client(pool, "bank").await, client(pool, "branch").await, client(pool, "nobody").await];
    let mut dice = StdRng::seed_from_u64(11);
    let from = Utc::now() - TimeDelta::days(DAYS);
    months(pool, from).await;
    let mut runs = Vec::new();
    for _ in 0..420 {
        let at = from + TimeDelta::seconds(dice.random_range(0..DAYS * 86_400 - 60));
        let run = Known::some(&mut dice, at, &clients);
        run.insert(pool).await;
        runs.push(run);
    }
    let mut found_some = 0;
    for number in 0..120 {
        let filter = some_filter(&mut dice, &clients, from);
        let mut expected: Vec<Uuid> = runs.iter().filter(|run| run.fits(&filter)).map(|run| run.run_id).collect();
        expected.sort_unstable_by(|one, other| other.cmp(one));
        let met = walked(pool, &filter, &mut dice, &clients, &mut runs).await;
        assert_eq!(met, expected, "filter {number}: {filter:?}");
        found_some += u32::from(!expected.is_empty());
    }
    assert!(found_some > 40, "only {found_some} filters mean anything");
}

#[tokio::test]
async fn a_search_waits_for_a_slot_and_is_told_to_come_back() {
    let database = Database::fresh().await;
    let slots = Slots::of(2);
    let mut transaction = database.pool().begin().await.unwrap();
    // Who reads waits for whoever changes a table.
    sqlx::query("LOCK TABLE verification_runs IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let filter = Filter::default();
    let (first, second) = tokio::join!(
        page(database.pool(), &slots, &filter, None, 10),
        page(database.pool(), &slots, &filter, None, 10)
    );
    // One has the slot and waits for the lock until the statement's time is over; the other waits for the slot.
    assert!(first.is_err_and(|error| error.retryable()) && second.is_err_and(|error| error.retryable()));
    transaction.rollback().await.unwrap();
    assert_eq!(page(database.pool(), &slots, &filter, None, 10).await.unwrap().run_ids, Vec::<Uuid>::new());
}
