//! The command line as a script meets it: one clear sentence and an exit status for what cannot be done.

use std::time::Duration;

use harness::binaries::{command_line, environment, free_port, path};
use harness::process::{Environment, Process};
use harness::services::{Database, Queues};
use serde_json::Value;

async fn failure(arguments: &[&str], environment: &Environment) -> String {
    let failed = command_line(arguments, environment).await;
    let text = failed.expect_err("must fail").to_string();
    assert_eq!(text.lines().count(), 1, "more than one sentence: {text}");
    text
}

async fn json(arguments: &[&str], environment: &Environment) -> Value {
    let output = command_line(arguments, environment).await.expect("succeeds");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_database_that_is_away_is_told_in_a_sentence() {
    let away = format!("postgres://nobody@127.0.0.1:{}/none", free_port().expect("a port"));
    let environment = Environment::new().with("DATABASE_URL", away);
    for command in ["migrate", "keys list", "clients show bank"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let said = failure(&arguments, &environment).await;
        assert!(said.contains("the database cannot be reached") && said.contains("refused"), "{command}: {said}");
    }
}

#[tokio::test]
async fn an_api_that_is_away_or_a_key_that_is_missing_is_told_in_a_sentence() {
    let nobody = format!("http://127.0.0.1:{}", free_port().expect("a port"));
    let environment = Environment::new().with("RB_OCR_URL", nobody).with("RB_OCR_KEY", "rbk_x");
    assert!(failure(&["runs"], &environment).await.contains("the api cannot be reached"));
    assert!(failure(&["runs"], &environment.clone().with("RB_OCR_KEY", "")).await.contains("RB_OCR_KEY is not set"));
    assert!(failure(&["runs"], &environment.with("RB_OCR_URL", "nonsense")).await.contains("RB_OCR_URL must be"));
}

#[tokio::test]
async fn every_file_of_a_submission_is_told_of_and_one_that_failed_fails_the_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.pdf");
    std::fs::write(&file, b"%PDF-1.4\n").expect("is written");
    let api = refusing().await;
    let environment = Environment::new().with("RB_OCR_URL", api).with("RB_OCR_KEY", "rbk_x");
    let path = file.display().to_string();
    let said = command_line(&["submit", &path, "/nowhere", "--fio", "Иванов Иван"], &environment).await;
    assert!(said.expect_err("must fail").to_string().contains("2 of 2 files failed"));
}

#[tokio::test]
async fn answers_are_held_against_labels_and_the_figures_written_into_a_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("is written");
        path.display().to_string()
    };
    let label = |name: &str, verdict: bool| {
        format!(r#"{{"file": "{name}", "expected": {{"status": "success", "verdict": {verdict}}}}}"#)
    };
    let truth = file("truth.jsonl", &format!("{}\n{}\n", label("a.pdf", true), label("b.pdf", false)));
    let answers = file("answers.jsonl", "{\"file\": \"a.pdf\", \"verdict\": true}\n");
    let page = file("page.md", "# Figures\n<!-- evaluation: documents -->\n<!-- end of evaluation: documents -->\n");
    let nothing = Environment::new();
    let scored = json(&["score", "documents", &truth, &answers, "--page", &page, "--json"], &nothing).await;
    assert_eq!(scored["all"]["verdict"], serde_json::json!({"hits": 1, "of": 2}));
    assert_eq!(scored["unanswered"], 1);
    let written = std::fs::read_to_string(&page).expect("a page");
    assert!(written.contains("| all | 2 | 50 % | 0 of 1 | 0 of 1 |"), "{written}");
    let said = failure(&["score", "names", &truth, &answers, "--page", &page], &nothing).await;
    assert!(said.contains("truth.jsonl") && said.contains("line 1"), "{said}");
}

/// An api that refuses every key.
async fn refusing() -> String {
    use axum::http::StatusCode;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = axum::Router::new().fallback(async || (StatusCode::UNAUTHORIZED, "{\"code\": \"UNAUTHENTICATED\"}"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_client_is_made_shown_changed_and_its_secret_rotated() {
    let (database, queues) = (Database::fresh().await, Queues::fresh());
    let folder = tempfile::tempdir().expect("a folder");
    let environment = environment(&database, &queues, folder.path());
    let first = json(&["keys", "create", "--name", "bank", "--scopes", "submit,read", "--json"], &environment).await;
    assert_eq!(first["client"], "bank");
    assert!(first["key"].as_str().expect("a key").starts_with("rbk_"));
    assert!(first["callback_secret"].as_str().expect("a secret").starts_with("whsec_"));
    let second = json(&["keys", "create", "--name", "bank", "--scopes", "read", "--json"], &environment).await;
    assert_eq!(second["callback_secret"], Value::Null, "the client is not new");
    let set = ["clients", "set", "bank", "--callback-form", "full", "--rate", "5/1", "--allow-high", "--json"];
    let changed = json(&set, &environment).await;
    assert_eq!(changed, json(&["clients", "show", "bank", "--json"], &environment).await);
    assert_eq!((&changed["callback_form"], &changed["rate"]), (&Value::from("full"), &Value::from("5/1")));
    let rotated = json(&["secrets", "rotate", "bank", "--retire-after", "24h", "--json"], &environment).await;
    assert_ne!(rotated["callback_secret"], first["callback_secret"]);
    assert_eq!(json(&["clients", "show", "bank", "--json"], &environment).await["live_secrets"], 2);
    let key = first["key"].as_str().expect("a key");
    json(&["keys", "revoke", key, "--json"], &environment).await;
    assert!(failure(&["keys", "revoke", key], &environment).await.contains("there is no live key"));
    assert!(failure(&["clients", "show", "nobody"], &environment).await.contains("there is no client nobody"));
    let said = failure(&["callbacks", "test", "bank", "http://10.0.0.1/"], &environment).await;
    assert!(said.contains("must begin with https://"), "{said}");
    assert!(command_line(&["clients", "set", "bank"], &environment).await.is_err(), "nothing to change");
}

#[tokio::test]
async fn two_migrations_at_once_do_no_harm() {
    let (database, queues) = (Database::fresh().await, Queues::fresh());
    let folder = tempfile::tempdir().expect("a folder");
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .execute(database.pool())
        .await
        .expect("is emptied");
    let environment = environment(&database, &queues, folder.path());
    let migrate = || command_line(&["migrate"], &environment);
    let (one, other) = tokio::join!(migrate(), migrate());
    one.expect("migrates");
    other.expect("migrates");
    assert_eq!(json(&["migrate", "--json"], &environment).await["applied"], 0);
}

#[tokio::test]
async fn a_server_whose_settings_are_wrong_names_all_of_them_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = Environment::new()
        .with("RUST_BACKTRACE", "1")
        .with("LEASE_SECONDS", "soon")
        .with("AMQP_URL", "http://broker")
        .with("RB_OCR_ENV", "production")
        .with("JUDGE_AS_OF", "2026-11-22");
    for name in ["rb-ocr-api", "rb-ocr-worker"] {
        let (program, log) = (path(name).expect("is built"), folder.path().join(name));
        let mut server = Process::start(&program, &[], &environment, &log).expect("starts");
        let status = server.wait(Duration::from_secs(60)).await.expect("ends");
        let said = server.log();
        assert!(!status.success(), "{name}");
        let wanted = ["LEASE_SECONDS", "AMQP_URL", "JUDGE_AS_OF"];
        assert!(wanted.iter().all(|setting| said.contains(setting)), "{said}");
        assert_eq!(said.trim().lines().count(), 4, "a line for each and one before them: {said}");
    }
}
