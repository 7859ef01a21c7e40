//! `rb-ocr` as a caller of the api: submit, runs, show.

use harness::papers::{APPLICANT, certificate, encrypted_pdf, pdf};
use harness::stack::Stack;
use harness::standins::receiver::Receiver;
use serde_json::json;

#[tokio::test]
async fn files_are_submitted_waited_for_listed_and_shown() {
    let stack = Stack::start().await;
    let (bank, secret) = stack.client("bank", "submit,read").await;
    let receiver = Receiver::start([]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (good, bad) = (path("справка.pdf"), path("locked.pdf"));
    std::fs::write(&good, pdf(&[&certificate()])).expect("a file");
    std::fs::write(&bad, encrypted_pdf()).expect("a file");

    let url = receiver.url();
    let wait = ["--fio", APPLICANT, "--wait", "--external-request-id", "52", "--callback-url", &url];
    let arguments = [&["submit", good.as_str()][..], &wait].concat();
    let submitted = stack.rb_ocr_as(bank.key(), &arguments).await;
    assert_eq!(submitted["items"][0]["file"], good);
    // A run that ended in error fails the command, so that a script need not read its answer.
    let arguments = [&["submit", bad.as_str()][..], &wait].concat();
    let said = stack.rb_ocr_fails(bank.key(), &arguments).await;
    assert!(said.contains("1 of 1 files failed"), "{said}");
    let listed = stack.rb_ocr_as(bank.key(), &["runs"]).await;
    let runs = [submitted["items"][0]["run"].clone(), listed["items"][0].clone()];
    let run = |number: usize| runs[number].clone();
    assert_eq!(run(0)["verdict"], true);
    assert_eq!((&run(0)["original_filename"], &run(0)["external_request_id"]), (&json!("справка.pdf"), &json!("52")));
    assert_eq!((&run(1)["status"], &run(1)["error_code"]), (&json!("error"), &json!("DOCUMENT_UNREADABLE")));
    let received = receiver.wait_for(2).await;
    assert!(received.iter().all(|event| event.verifies(secret.as_deref().expect("a secret"))));

    let failed = stack.rb_ocr_as(bank.key(), &["runs", "--status", "error"]).await;
    assert_eq!(failed["items"], json!([run(1)]));
    let first = stack.rb_ocr_as(bank.key(), &["runs", "--limit", "1"]).await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = stack.rb_ocr_as(bank.key(), &["runs", "--limit", "1", "--cursor", cursor]).await;
    assert_eq!((&first["items"], &second["items"]), (&json!([run(1)]), &json!([run(0)])), "newest first");
    let shown = stack.rb_ocr_as(bank.key(), &["show", run(0)["run_id"].as_str().expect("an id")]).await;
    assert_eq!(shown, run(0));
}
