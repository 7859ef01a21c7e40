//! The sample documents of every capture, read by real Tesseract in two workers at once.

use harness::samples;
use harness::stack::Stack;
use harness::until::until;

#[tokio::test]
async fn every_sample_document_comes_out_as_its_truth_says() {
    let stack = Stack::plan().workers(2).start().await;
    assert_eq!(samples::differences(&stack.bank().await, 1).await, Vec::<String>::new());
    until("empty temporary folder", async || (stack.temporary() == 0).then_some(())).await;
    assert_eq!((stack.count("jobs").await, stack.count("dead_jobs").await), (0, 0));
}
