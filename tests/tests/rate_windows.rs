//! Permits to submit in the real statements of the store: the limit is never exceeded, by however many processes.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::time::Duration;

use harness::records::count;
use harness::services::Database;
use shared::settings::RateLimit;
use shared::store::Pool;
use shared::store::rate_windows::{Taken, Unused, give_back, remove_old, take};
use uuid::Uuid;

/// A window that does not end while a test runs.
const LONG: Duration = Duration::from_secs(1_000_000);

fn limit(count: u32) -> RateLimit {
    RateLimit { count, window: LONG }
}

async fn all(pool: &Pool, client_id: Uuid, limit: RateLimit, ask: u32) -> Vec<Taken> {
    let mut all = Vec::new();
    loop {
        let taken = take(pool, client_id, limit, ask).await.unwrap();
        all.push(taken);
        if taken.permits == 0 {
            return all;
        }
    }
}

fn permits(taken: &[Taken]) -> u32 {
    taken.iter().map(|taken| taken.permits).sum()
}

#[tokio::test]
async fn processes_that_take_at_once_take_the_limit_together_and_no_more() {
    let database = Database::fresh().await;
    let (client_id, other) = (Uuid::new_v4(), Uuid::new_v4());
    let processes = (1..=4).map(|process| all(database.pool(), client_id, limit(600), 30 * process));
    let taken = futures::future::join_all(processes).await.concat();
    assert_eq!(permits(&taken), 600);
    assert_eq!(permits(&all(database.pool(), other, limit(7), 100).await), 7, "another client has its own");
}

#[tokio::test]
async fn chunks_become_smaller_as_the_window_empties_and_are_few() {
    let database = Database::fresh().await;
    let taken = all(database.pool(), Uuid::new_v4(), limit(600), 128).await;
    let sizes: Vec<u32> = taken.iter().map(|taken| taken.permits).collect();
    assert!(sizes.is_sorted_by(|one, next| one >= next), "{sizes:?}");
    assert_eq!((sizes[0], sizes[sizes.len() - 2]), (75, 1));
    assert!(sizes.len() < 60, "600 submissions cost {} statements", sizes.len());
    let left: Vec<u32> = taken.iter().map(|taken| taken.left).collect();
    assert_eq!((left[0], left[left.len() - 1]), (525, 0));
    assert!(taken.iter().all(|chunk| chunk.ends_in <= LONG && chunk.window_start == taken[0].window_start));
}

#[tokio::test]
async fn what_is_given_back_can_be_taken_again_and_nothing_else() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let client_id = Uuid::new_v4();
    let taken = all(pool, client_id, limit(10), 1).await;
    assert_eq!(permits(&taken), 10);
    let unused = |permits, window_start| Unused { client_id, window: LONG, window_start, permits };
    let present = taken[0].window_start;
    give_back(pool, &[unused(3, present), unused(5, present - LONG)]).await.unwrap();
    assert_eq!(permits(&all(pool, client_id, limit(10), 1).await), 3);
}

#[tokio::test]
async fn a_limit_that_was_lowered_or_raised_holds_at_once() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let client_id = Uuid::new_v4();
    assert_eq!(permits(&all(pool, client_id, limit(10), 1).await), 10);
    assert_eq!(take(pool, client_id, limit(4), 1).await.unwrap().permits, 0);
    assert_eq!(permits(&all(pool, client_id, limit(12), 1).await), 2);
}

#[tokio::test]
async fn windows_that_are_over_are_removed_and_others_are_not() {
    let database = Database::fresh().await;
    let pool = database.pool();
    for seconds in [60, 1_000_000] {
        let limit = RateLimit { count: 5, window: Duration::from_secs(seconds) };
        take(pool, Uuid::new_v4(), limit, 1).await.unwrap();
    }
    assert_eq!(remove_old(pool).await.unwrap(), 0);
    let aged = "UPDATE rate_windows SET window_start = window_start - interval '12 minutes'";
    sqlx::query(aged).execute(pool).await.unwrap();
    assert_eq!(remove_old(pool).await.unwrap(), 1);
    assert_eq!(count(pool, "SELECT count(*) FROM rate_windows WHERE window_seconds = 1000000").await, 1);
}
