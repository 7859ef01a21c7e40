//! SIGTERM: no new work, what runs ends or is given back in time, exit 0; and no run pays for it.

use std::time::Duration;

use futures::future::join_all;
use harness::binaries::{Server, environment};
use harness::caller::valid_form;
use harness::services::{Database, Queues};
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Fault, Ocr};
use harness::until::until;
use uuid::Uuid;

use harness::papers::certificate;

/// Longer than any stop takes on a busy machine.
const STOP: Duration = Duration::from_secs(100);

async fn in_hand(stack: &Stack) -> i64 {
    stack.count("jobs WHERE lease_token IS NOT NULL").await
}

async fn all_succeed_at_once(stack: &Stack, bank: &harness::caller::Caller, runs: Vec<Uuid>) {
    for run_id in runs {
        let run = bank.finished(run_id).await;
        assert_eq!((run["status"].as_str(), run["attempts"].as_i64()), (Some("success"), Some(1)), "{run}");
    }
    assert_eq!(stack.count("jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_costs_no_run_an_attempt() {
    let delay = Duration::from_secs(1);
    let ocr = Ocr::start(Behaviour { delay, ..Behaviour::reading(&[&certificate()]) }).await;
    let mut stack = Stack::plan().workers(2).ocr(ocr.base_url()).set("WORKER_CONCURRENCY", "4").start().await;
    let bank = stack.bank().await;
    let runs = join_all((0..24).map(|_| bank.submit(valid_form()))).await;
    for number in 0..2 {
        until("run in hand", async || (in_hand(&stack).await > 0).then_some(())).await;
        let ended = stack.workers[number].process.stop(STOP).await.expect("it ends");
        assert!(ended.success(), "{ended}");
        stack.add_worker().await;
    }
    all_succeed_at_once(&stack, &bank, runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_in_time_is_given_back() {
    let ocr = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    ocr.outage(Some(Fault::Hang));
    let mut stack = Stack::plan().ocr(ocr.base_url()).set("SHUTDOWN_SECONDS", "4").start().await;
    let bank = stack.bank().await;
    let runs = join_all((0..3).map(|_| bank.submit(valid_form()))).await;
    until("three runs that are read", async || (ocr.requests() == 3).then_some(())).await;
    let ended = stack.workers[0].process.stop(STOP).await.expect("it ends");
    assert!(ended.success(), "{ended}");
    assert_eq!(in_hand(&stack).await, 0, "nothing waits for a lease to run out");
    ocr.outage(None);
    stack.add_worker().await;
    all_succeed_at_once(&stack, &bank, runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_gives_back_at_once() {
    let ocr = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    ocr.outage(Some(Fault::Hang));
    let mut stack = Stack::plan().ocr(ocr.base_url()).set("SHUTDOWN_SECONDS", "10m").start().await;
    let bank = stack.bank().await;
    let runs = vec![bank.submit(valid_form()).await];
    until("run that is read", async || (ocr.requests() == 1).then_some(())).await;
    let worker = &mut stack.workers[0].process;
    worker.signal(libc::SIGTERM);
    // Two signals at once are one.
    until("worker that stops", async || worker.log().contains("the worker stops").then_some(())).await;
    worker.signal(libc::SIGINT);
    let ended = worker.wait(STOP).await.expect("it does not wait for ten minutes");
    assert!(ended.success(), "{ended}");
    ocr.outage(None);
    stack.add_worker().await;
    all_succeed_at_once(&stack, &bank, runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_database_and_broker_are_away_stops_in_time() {
    let (database, queues) = (Database::fresh().await, Queues::fresh());
    let folder = tempfile::tempdir().expect("a folder");
    // Of the reserved ports, nobody listens on this one.
    let nobody = "127.0.0.1:1";
    let environment = environment(&database, &queues, folder.path())
        .with("TMPDIR", folder.path().display().to_string())
        .with("DATABASE_URL", format!("postgres://rb_ocr@{nobody}/rb_ocr"))
        .with("AMQP_URL", format!("amqp://guest:guest@{nobody}/%2f"))
        .with("SHUTDOWN_SECONDS", "6");
    let log = folder.path().join("worker.log");
    let mut worker = Server::start("rb-ocr-worker", "WORKER_LISTEN", &environment, &log).expect("it starts");
    let wants = "the broker cannot be reached";
    until("look for the broker", async || worker.process.log().contains(wants).then_some(())).await;
    let ended = worker.process.stop(STOP).await.expect("it ends");
    assert!(ended.success(), "{ended}");
}
