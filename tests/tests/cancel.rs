//! Cancelling and erasing against everything else that may happen to a run at the same moment, with the real
//! statements of the store: exactly one of the two happens, whichever came first.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::time::Duration;

use harness::records::{
    ATTEMPTS, BUDGET, LEASE, accepted, begin, claim, claimed, client, count, new_run, published, time_passes,
};
use harness::services::Database;
use shared::domain::{ErrorCode, Stage, Status};
use shared::store::callback_attempts::{self, NewAttempt, Then};
use shared::store::cancel::{self, Canceller};
use shared::store::erasures::{self, Eraser};
use shared::store::finish::{Finish, finish};
use shared::store::intake::NewRun;
use shared::store::jobs::{self, Lease, RunClaim};
use shared::store::retry::{self, Retrier};
use shared::store::{Pool, StoreError, callbacks, runs};
use uuid::Uuid;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn try_cancel(pool: &Pool, run: &NewRun) -> Result<bool, StoreError> {
    let canceller = Canceller { actor: "key", ip_address: None };
    Ok(cancel::cancel(pool, run.run_id, run.client_id, &canceller).await?.is_some())
}

async fn cancel(pool: &Pool, run: &NewRun) -> bool {
    try_cancel(pool, run).await.unwrap()
}

async fn erase(pool: &Pool, run: &NewRun) -> bool {
    let eraser = Eraser { actor: "key", ip_address: None, trace_context: TRACE };
    erasures::erase(pool, run.run_id, run.client_id, &eraser).await.unwrap()
}

async fn retried(pool: &Pool, run: &NewRun) -> Option<i32> {
    let max_age = Duration::from_secs(60);
    let retrier = Retrier { actor: "key", ip_address: None, trace_context: TRACE, max_age, operator: false };
    retry::begin(pool, run.run_id, run.client_id, &retrier).await.unwrap()
}

fn failed(code: ErrorCode) -> Finish {
    Finish { errors: vec![code], worker: "worker".into(), ..Finish::default() }
}

/// What a worker that goes on after its lease was taken may still try.
async fn changes_nothing(pool: &Pool, late: &RunClaim) {
    assert!(finish(pool, late.lease, late.run_id, &accepted()).await.unwrap().is_none());
    assert!(!jobs::retry(pool, late.lease, Duration::ZERO, "late").await.unwrap());
    assert_eq!(jobs::give_back(pool, &[late.lease], Duration::ZERO).await.unwrap(), 0);
    assert!(jobs::renew(pool, &[late.lease], LEASE).await.unwrap().is_empty());
    let kept = jobs::note_stages(pool, &[(late.lease, Stage::Read)]).await.unwrap();
    assert!(kept.is_empty(), "the worker is told at its next stage");
}

/// A run that somebody works on, and what lets them write.
async fn worked_on(pool: &Pool, owner: Uuid) -> (NewRun, Lease) {
    let run = new_run(owner);
    let lease = claimed(pool, &run).await.lease;
    (run, lease)
}

async fn is_cancelled(pool: &Pool, run: &NewRun) {
    let record = runs::find(pool, run.run_id).await.unwrap().unwrap();
    let codes: Vec<_> = record.errors.iter().map(|error| error.code).collect();
    assert_eq!((record.status, codes, record.verdict), (Status::Error, vec![ErrorCode::Cancelled], None));
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind = 'run'").await, 0);
}

/// Waits until so many statements of this database wait for a lock.
async fn waiting_for_a_lock(pool: &Pool, how_many: i64) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let all = async { while count(pool, waiting).await != how_many {} };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("they wait");
}

/// Lets `first` and then `second` come to a row that is held, and then go on: `first` goes first.
async fn race<A, B>(
    pool: &Pool,
    held: &'static str,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let mut holder = pool.begin().await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT FROM {held} FOR UPDATE"))).execute(&mut *holder).await.unwrap();
    let (first, second) = (std::pin::pin!(first), std::pin::pin!(second));
    let second = async {
        waiting_for_a_lock(pool, 1).await;
        second.await
    };
    let release = async {
        waiting_for_a_lock(pool, 2).await;
        holder.rollback().await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    (first, second)
}

const JOB: &str = "jobs WHERE kind = 'run'";

#[tokio::test]
async fn a_run_is_cancelled_whatever_state_its_job_is_in() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;

    let waiting = new_run(owner);
    begin(pool, &waiting).await;
    assert!(cancel(pool, &waiting).await);
    is_cancelled(pool, &waiting).await;

    let in_the_broker = new_run(owner);
    begin(pool, &in_the_broker).await;
    let job = published(pool).await.pop().unwrap();
    assert!(cancel(pool, &in_the_broker).await);
    assert!(claim(pool, &job, LEASE).await.is_none(), "its message leads nowhere");

    let worked_on = new_run(owner);
    let claim = claimed(pool, &worked_on).await;
    assert!(cancel(pool, &worked_on).await);
    changes_nothing(pool, &claim).await;
    is_cancelled(pool, &worked_on).await;

    let put_off = new_run(owner);
    let claim = claimed(pool, &put_off).await;
    assert!(jobs::retry(pool, claim.lease, Duration::from_secs(600), "OCR_FAILED").await.unwrap());
    assert!(cancel(pool, &put_off).await);

    let stalled = new_run(owner);
    let claim = claimed(pool, &stalled).await;
    time_passes(pool, 31).await;
    assert!(cancel(pool, &stalled).await);
    changes_nothing(pool, &claim).await;
    assert_eq!(jobs::expire_leases(pool, ATTEMPTS).await.unwrap(), 0);

    for run in [&waiting, &in_the_broker, &worked_on, &put_off, &stalled] {
        is_cancelled(pool, run).await;
        assert!(!cancel(pool, run).await, "and never twice");
    }
    assert_eq!(count(pool, "SELECT count(*) FROM ocr_pages").await, 0);
    assert_eq!(count(pool, "SELECT count(*) FROM audit_events WHERE action = 'run.cancelled'").await, 5);
}

#[tokio::test]
async fn another_clients_run_is_not_cancelled() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let run = new_run(client(pool, "bank").await);
    begin(pool, &run).await;
    let stranger = NewRun { client_id: client(pool, "stranger").await, ..run.clone() };
    assert!(!cancel(pool, &stranger).await);
    assert_eq!(runs::find(pool, run.run_id).await.unwrap().unwrap().status, Status::Processing);
}

#[tokio::test]
async fn a_cancelled_run_owes_its_callback_and_is_not_tried_again() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let run = NewRun { callback_url: Some("https://callbacks.example/".into()), ..new_run(client(pool, "bank").await) };
    let first = claimed(pool, &run).await;
    finish(pool, first.lease, run.run_id, &failed(ErrorCode::OcrFailed)).await.unwrap().unwrap();
    assert_eq!(retried(pool, &run).await, Some(2));
    assert!(cancel(pool, &run).await);

    let told: Vec<(i32, String, String)> =
        sqlx::query_as("SELECT sequence, type, state FROM callbacks ORDER BY sequence").fetch_all(pool).await.unwrap();
    let expected = [(1, "run.failed", "superseded"), (2, "run.failed", "pending")];
    assert_eq!(told, expected.map(|(n, kind, state)| (n, kind.to_owned(), state.to_owned())));
    let body: String =
        sqlx::query_scalar("SELECT body FROM callbacks WHERE sequence = 2").fetch_one(pool).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["data"]["error_codes"], serde_json::json!(["CANCELLED"]));
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind = 'callback'").await, 1);
    let errors = "SELECT count(*) FROM verification_errors WHERE generation = 2 AND code = 'CANCELLED'";
    assert_eq!(count(pool, errors).await, 1);
    assert_eq!(retried(pool, &run).await, None, "a cancelled run is not retryable");
}

#[tokio::test]
async fn of_a_cancellation_and_a_result_the_first_counts() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;

    let (run, lease) = worked_on(pool, owner).await;
    let ended = accepted();
    let (finished, cancelled) = race(pool, JOB, finish(pool, lease, run.run_id, &ended), cancel(pool, &run)).await;
    assert!(finished.unwrap().is_some() && !cancelled);
    assert_eq!(runs::find(pool, run.run_id).await.unwrap().unwrap().status, Status::Success);

    let (run, lease) = worked_on(pool, owner).await;
    let (cancelled, finished) = race(pool, JOB, cancel(pool, &run), finish(pool, lease, run.run_id, &ended)).await;
    assert!(cancelled && finished.unwrap().is_none());
    is_cancelled(pool, &run).await;
}

#[tokio::test]
async fn a_run_that_is_put_off_given_back_or_claimed_first_is_cancelled_all_the_same() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let pause = Duration::from_secs(5);

    let (run, lease) = worked_on(pool, owner).await;
    let (put_off, cancelled) = race(pool, JOB, jobs::retry(pool, lease, pause, "x"), cancel(pool, &run)).await;
    assert!(put_off.unwrap() && cancelled);
    is_cancelled(pool, &run).await;

    let (run, lease) = worked_on(pool, owner).await;
    let (given, cancelled) = race(pool, JOB, jobs::give_back(pool, &[lease], pause), cancel(pool, &run)).await;
    assert!(given.unwrap() == 1 && cancelled);
    is_cancelled(pool, &run).await;

    let run = new_run(owner);
    begin(pool, &run).await;
    let job = published(pool).await.pop().unwrap();
    let (claim, cancelled) = race(pool, JOB, claim(pool, &job, LEASE), cancel(pool, &run)).await;
    assert!(cancelled);
    changes_nothing(pool, &claim.unwrap()).await;
    is_cancelled(pool, &run).await;
}

#[tokio::test]
async fn what_comes_after_a_cancellation_finds_nothing() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let pause = Duration::from_secs(5);

    let (run, lease) = worked_on(pool, owner).await;
    let (cancelled, put_off) = race(pool, JOB, cancel(pool, &run), jobs::retry(pool, lease, pause, "x")).await;
    assert!(cancelled && !put_off.unwrap());
    is_cancelled(pool, &run).await;

    let run = new_run(owner);
    begin(pool, &run).await;
    let job = published(pool).await.pop().unwrap();
    let (cancelled, claim) = race(pool, JOB, cancel(pool, &run), claim(pool, &job, LEASE)).await;
    assert!(cancelled && claim.is_none());
    is_cancelled(pool, &run).await;

    let run = new_run(owner);
    claimed(pool, &run).await;
    time_passes(pool, 31).await;
    let (cancelled, expired) = race(pool, JOB, cancel(pool, &run), jobs::expire_leases(pool, ATTEMPTS)).await;
    assert!(cancelled && expired.unwrap() == 0);
    is_cancelled(pool, &run).await;
}

#[tokio::test]
async fn a_run_that_upkeep_is_about_to_end_can_still_be_cancelled_and_ends_once() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let run = new_run(client(pool, "bank").await);
    begin(pool, &run).await;
    time_passes(pool, 3601).await;
    let ending = jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap().pop().unwrap();
    assert!(cancel(pool, &run).await);
    let late = finish(pool, ending.lease, run.run_id, &failed(ErrorCode::TimedOut)).await.unwrap();
    assert!(late.is_none());
    is_cancelled(pool, &run).await;
}

#[tokio::test]
async fn of_a_cancellation_and_an_erasure_nothing_is_left_in_either_order() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    for cancelled_first in [true, false] {
        let run = NewRun { callback_url: Some("https://callbacks.example/".into()), ..new_run(owner) };
        begin(pool, &run).await;
        if cancelled_first {
            assert_eq!(race(pool, JOB, cancel(pool, &run), erase(pool, &run)).await, (true, true));
        } else {
            assert_eq!(race(pool, JOB, erase(pool, &run), cancel(pool, &run)).await, (true, false));
        }
        assert!(runs::find(pool, run.run_id).await.unwrap().is_none());
        assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind <> 'erase'").await, 0);
        assert_eq!(count(pool, "SELECT count(*) FROM callbacks").await, 0);
    }
}

/// A run with a callback that is owed and, where `again`, a second generation that is being worked on.
async fn with_callback(pool: &Pool, owner: Uuid, again: bool) -> (NewRun, RunClaim) {
    let run = NewRun { callback_url: Some("https://callbacks.example/".into()), ..new_run(owner) };
    let mut held = claimed(pool, &run).await;
    finish(pool, held.lease, run.run_id, &failed(ErrorCode::OcrFailed)).await.unwrap().unwrap();
    if again {
        assert_eq!(retried(pool, &run).await, Some(2));
        let job = published(pool).await.into_iter().find(|job| job.lane == jobs::Lane::RunsNormal).unwrap();
        held = claim(pool, &job, LEASE).await.unwrap();
    }
    (run, held)
}

#[tokio::test]
async fn an_erasure_takes_a_callback_along_that_is_owed_again_at_the_same_moment() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let (run, _) = with_callback(pool, client(pool, "bank").await, false).await;
    sqlx::query("DELETE FROM jobs WHERE kind = 'callback'").execute(pool).await.unwrap();
    let again = callbacks::redeliver(pool, run.run_id, run.client_id, "key", None, TRACE);
    let (again, erased) = race(pool, "callbacks", again, erase(pool, &run)).await;
    assert!(again.unwrap() == Some(1) && erased);
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind = 'callback'").await, 0, "nobody is owed anything");
    assert_eq!(count(pool, "SELECT count(*) FROM callbacks").await, 0);
}

#[tokio::test]
async fn an_erasure_and_a_result_that_replaces_a_callback_do_not_wait_for_each_other() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let (run, held) = with_callback(pool, client(pool, "bank").await, true).await;
    let ended = accepted();
    let late = finish(pool, held.lease, run.run_id, &ended);
    let (erased, late) = race(pool, "jobs WHERE kind = 'callback'", erase(pool, &run), late).await;
    assert!(erased && late.unwrap().is_none());
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind <> 'erase'").await, 0);
}

#[tokio::test]
async fn an_erasure_that_finds_nothing_more_to_erase_has_let_go_of_the_job_when_it_answers() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    for _ in 0..50 {
        let run = new_run(owner);
        begin(pool, &run).await;
        assert!(erase(pool, &run).await && !erase(pool, &run).await);
        assert_eq!(published(pool).await.len(), 1, "its files are still owed, and no relay passes the job over");
        sqlx::query("DELETE FROM jobs").execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn a_delivery_that_ends_after_the_erasure_records_nothing() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let (run, _) = with_callback(pool, client(pool, "bank").await, false).await;
    let job = published(pool).await.pop().unwrap();
    let delivery = jobs::claim_callback(pool, (job.job_id, run.run_id), "worker", LEASE).await.unwrap().unwrap();
    assert!(erase(pool, &run).await);
    let attempt = NewAttempt {
        run_id: run.run_id,
        sequence: delivery.sequence,
        duration: Duration::from_millis(5),
        status_code: Some(200),
        outcome: "delivered",
    };
    for then in [Then::Delivered, Then::Again(Duration::ZERO), Then::Failed] {
        assert!(!callback_attempts::record(pool, delivery.lease, &attempt, then).await.unwrap());
    }
    assert_eq!(count(pool, "SELECT count(*) FROM callback_attempts").await, 0);
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind <> 'erase'").await, 0);
}
