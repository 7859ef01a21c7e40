//! A worker that goes away in the middle of a run: what it had is done by another.

use std::time::Duration;

use harness::caller::{Caller, form, valid_form};
use harness::papers::{APPLICANT, certificate, png};
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Ocr};
use harness::until::until;
use serde_json::{Value, json};
use uuid::Uuid;

/// Longer than any shutdown in these tests; a limit, not an expectation.
const END: Duration = Duration::from_secs(60);

/// A service that has not read a document yet, and a system that asks it.
async fn asking(settings: &[(&str, &str)]) -> (Stack, Ocr) {
    let service = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    service.hold();
    let plan = settings.iter().fold(Stack::plan(), |plan, (name, value)| plan.set(name, *value));
    (plan.ocr(service.base_url()).start().await, service)
}

/// Submits a document and waits until a worker waits for its reading. It is a picture: for the service the worker writes
/// a PDF of it into the run's folder.
async fn in_the_middle(bank: &Caller, service: &Ocr) -> Uuid {
    let run_id = bank.submit(form(png(64), APPLICANT)).await;
    until("run that is being read", async || (service.polls() > 0).then_some(())).await;
    run_id
}

async fn finished_once(stack: &Stack, run: &Value, attempts: i32) {
    assert_eq!((&run["verdict"], &run["attempts"], &run["generation"]), (&json!(true), &json!(attempts), &json!(1)));
    assert_eq!((stack.count("ocr_pages").await, stack.count("jobs").await), (1, 0));
    assert_eq!(stack.count("audit_events WHERE action = 'run.finished'").await, 1);
}

#[tokio::test]
async fn a_worker_that_is_asked_to_end_finishes_what_it_can_and_takes_nothing_new() {
    let (mut stack, service) = asking(&[]).await;
    let bank = stack.bank().await;
    let run_id = in_the_middle(&bank, &service).await;
    stack.workers[0].process.signal(libc::SIGTERM);
    until("worker that stops", async || (stack.workers[0].status("/readyz").await == Some(503)).then_some(())).await;
    let late = bank.submit(valid_form()).await;
    service.release();
    let status = stack.workers[0].process.wait(END).await.expect("it ends");
    assert!(status.success(), "{status}");
    let run = bank.run(run_id).await;
    assert_eq!((&run["verdict"], &run["attempts"]), (&json!(true), &json!(1)), "{run}");
    assert_eq!(bank.run(late).await["status"], "processing");
    assert_eq!(stack.temporary(), 0);
    stack.add_worker().await;
    assert_eq!(bank.finished(late).await["attempts"], 1);
}

#[tokio::test]
async fn what_a_worker_cannot_finish_in_time_is_given_back_and_costs_no_attempt() {
    let (mut stack, service) = asking(&[("SHUTDOWN_SECONDS", "3")]).await;
    let bank = stack.bank().await;
    let run_id = in_the_middle(&bank, &service).await;
    stack.workers[0].process.signal(libc::SIGTERM);
    let status = stack.workers[0].process.wait(END).await.expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(bank.run(run_id).await["status"], "processing");
    assert_eq!(stack.temporary(), 0);
    service.release();
    stack.add_worker().await;
    finished_once(&stack, &bank.finished(run_id).await, 1).await;
}

#[tokio::test]
async fn what_a_killed_worker_had_is_finished_by_another_and_its_files_go_with_the_next_start() {
    let (mut stack, service) = asking(&[("LEASE_SECONDS", "3")]).await;
    let bank = stack.bank().await;
    let run_id = in_the_middle(&bank, &service).await;
    stack.workers[0].process.kill();
    assert_ne!(stack.temporary(), 0, "it left its files behind");
    service.release();
    stack.add_worker().await;
    finished_once(&stack, &bank.finished(run_id).await, 2).await;
    until("empty temporary folder", async || (stack.temporary() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_worker_that_stalls_past_its_lease_and_wakes_up_changes_nothing() {
    let (mut stack, service) = asking(&[("LEASE_SECONDS", "3")]).await;
    let bank = stack.bank().await;
    let run_id = in_the_middle(&bank, &service).await;
    stack.workers[0].process.signal(libc::SIGSTOP);
    service.release();
    stack.add_worker().await;
    let run = bank.finished(run_id).await;
    finished_once(&stack, &run, 2).await;
    stack.workers[0].process.signal(libc::SIGCONT);
    let lost = async || stack.workers[0].process.log().contains("the lease was lost").then_some(());
    until("worker that sees its lease lost", lost).await;
    assert_eq!(bank.run(run_id).await, run);
    finished_once(&stack, &run, 2).await;
}
