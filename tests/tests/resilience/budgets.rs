//! A run has so much time for work and may become so old; then it ends, whoever holds it.

use harness::caller::{codes, valid_form};
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Fault, Ocr};
use harness::until::until;

use harness::papers::certificate;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_reading_hangs_ends_when_its_time_for_work_is_used_up() {
    let ocr = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    ocr.outage(Some(Fault::Hang));
    let stack = Stack::plan().ocr(ocr.base_url()).set("LEASE_SECONDS", "4").set("RUN_WORK_BUDGET", "4s").start().await;
    let bank = stack.bank().await;
    let run = bank.judged(valid_form()).await;
    assert_eq!((codes(&run), run["attempts"].as_i64()), (vec!["TIMED_OUT"], Some(1)), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_becomes_too_old_before_anybody_takes_it_is_ended_by_upkeep() {
    let mut stack = Stack::plan()
        .workers(0)
        .set("LEASE_SECONDS", "3")
        .set("RUN_WORK_BUDGET", "3s")
        .set("RUN_MAX_AGE", "3s")
        .start()
        .await;
    let bank = stack.bank().await;
    let run_id = bank.submit(valid_form()).await;
    let old = "jobs WHERE expires_at < now()";
    until("run that is too old", async || (stack.count(old).await == 1).then_some(())).await;
    stack.add_worker().await;
    let run = bank.finished(run_id).await;
    assert_eq!((codes(&run), run["attempts"].as_i64()), (vec!["TIMED_OUT"], Some(0)), "{run}");
}
