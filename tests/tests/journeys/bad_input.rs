//! What needs a parser to be refused: such a run ends in error, and the worker goes on with the next.

use harness::caller::{Caller, codes, form, valid_form};
use harness::papers::{APPLICANT, certificate, encrypted_pdf, pdf, png, tiff, truncated_pdf};
use harness::stack::Stack;
use harness::until::until;
use serde_json::{Value, json};

/// Submits a file that cannot be judged and a good one behind it; the first one's code.
async fn refused(bank: &Caller, file: Vec<u8>) -> String {
    let (bad, good) = (bank.submit(form(file, APPLICANT)).await, bank.submit(valid_form()).await);
    let (run, next) = (bank.finished(bad).await, bank.finished(good).await);
    assert_eq!((&next["status"], &next["verdict"]), (&json!("success"), &json!(true)), "the next is judged: {next}");
    assert_eq!(
        (&run["status"], &run["verdict"], &run["extracted"]),
        (&json!("error"), &Value::Null, &Value::Null),
        "{run}"
    );
    assert_eq!((&run["attempts"], &run["errors"][0]["retryable"]), (&json!(1), &json!(false)), "{run}");
    let [code] = codes(&run)[..] else { panic!("one error: {run}") };
    code.to_owned()
}

/// The worker is the one that was started, ready, and keeps nothing of what it worked on.
async fn unharmed(stack: &mut Stack) {
    assert!(stack.workers[0].process.ended().is_none());
    assert_eq!(stack.workers[0].status("/readyz").await, Some(200));
    until("empty temporary folder", async || (stack.temporary() == 0).then_some(())).await;
    assert_eq!(stack.count("jobs").await, 0);
    assert_eq!(stack.count("dead_jobs").await, 0);
}

#[tokio::test]
async fn a_pdf_that_cannot_be_opened_is_unreadable() {
    let mut stack = Stack::start().await;
    let bank = stack.bank().await;
    for file in [truncated_pdf(), encrypted_pdf()] {
        assert_eq!(refused(&bank, file).await, "DOCUMENT_UNREADABLE");
    }
    unharmed(&mut stack).await;
}

#[tokio::test]
async fn more_than_twenty_pages_are_too_many_of_a_pdf_and_of_a_tiff() {
    let mut stack = Stack::start().await;
    let bank = stack.bank().await;
    let text = certificate();
    for file in [pdf(&vec![text.as_str(); 21]), tiff(21, 100, 100)] {
        assert_eq!(refused(&bank, file).await, "PDF_TOO_MANY_PAGES");
    }
    unharmed(&mut stack).await;
}

#[tokio::test]
async fn an_image_beyond_the_pixel_limit_is_unreadable_and_not_decoded() {
    let mut stack = Stack::start().await;
    let bank = stack.bank().await;
    assert_eq!(refused(&bank, png(800)).await, "OCR_EMPTY_PAGES", "such a file can be opened");
    assert_eq!(refused(&bank, png(30_000)).await, "DOCUMENT_UNREADABLE");
    unharmed(&mut stack).await;
}

#[tokio::test]
async fn pages_without_a_word_are_empty() {
    let mut stack = Stack::start().await;
    let bank = stack.bank().await;
    assert_eq!(refused(&bank, pdf(&["", ""])).await, "OCR_EMPTY_PAGES");
    unharmed(&mut stack).await;
}
