//! The long form of `journeys::documents`.

use harness::samples;
use harness::stack::Stack;

#[tokio::test]
async fn every_sample_document_comes_out_twice_as_its_truth_says_while_a_worker_is_replaced() {
    let mut stack = Stack::plan().workers(2).set("LEASE_SECONDS", "5").start().await;
    let bank = stack.bank().await;
    let replaced = async {
        stack.workers[0].process.kill();
        stack.add_worker().await;
    };
    let (differences, ()) = tokio::join!(samples::differences(&bank, 2), replaced);
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!((stack.count("verification_runs").await, stack.count("dead_jobs").await), (24, 0));
}
