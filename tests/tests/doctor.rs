//! `rb-ocr doctor` beside real services: what is in order is said to be, each fault is named with what to do, and a
//! check that fails stops no other.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use harness::binaries::{environment, path};
use harness::process::Environment;
use harness::records::{client, worker_is_alive};
use harness::services::{Database, Queues, Services};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use serde_json::Value;
use shared::secrets::Sealer;
use shared::settings::SecretsKey;
use shared::store::{client_secrets, switches};

struct House {
    database: Database,
    queues: Queues,
    folder: tempfile::TempDir,
    environment: Environment,
}

impl House {
    /// Everything in order: a worker is alive, and no day stands for today.
    async fn new() -> Self {
        let (database, queues, folder) = (Database::fresh().await, Queues::fresh(), tempfile::tempdir().unwrap());
        let environment = environment(&database, &queues, folder.path()).with("JUDGE_AS_OF", "");
        worker_is_alive(database.pool()).await;
        Self { database, queues, folder, environment }
    }

    /// Whether the doctor is content, and what it found.
    async fn doctor(&self, changed: &[(&str, &str)]) -> (bool, Vec<Value>) {
        let mut command = tokio::process::Command::new(path("rb-ocr").unwrap());
        command.args(["doctor", "--json"]).env_clear().kill_on_drop(true).envs(self.environment.iter());
        command.env("PATH", std::env::var_os("PATH").unwrap()).envs(changed.iter().copied());
        let output = command.output().await.unwrap();
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.success(), told["findings"].as_array().unwrap().clone())
    }
}

/// The graver findings of a check, each as its words with its advice.
fn faults(findings: &[Value], check: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_it = findings.iter().filter(|finding| finding["check"] == check);
    of_it
        .filter(|finding| finding["grade"] != "ok")
        .map(|finding| (format!("{}: {}", text(&finding["grade"]), text(&finding["what"])), text(&finding["advice"])))
        .collect()
}

#[track_caller]
fn assert_fault(findings: &[Value], check: &str, what: &str, advice: &str) {
    let found = faults(findings, check);
    assert!(
        found.iter().any(|(said, to_do)| said.contains(what) && to_do.contains(advice)),
        "{check} must say `{what}` and `{advice}`: {found:?}"
    );
}

#[tokio::test]
async fn where_all_is_in_order_every_check_says_so() {
    let house = House::new().await;
    let (content, findings) = house.doctor(&[]).await;
    assert!(content, "{findings:#?}");
    for check in
        ["settings", "database", "schema", "rights", "partitions", "clock", "broker", "dead letters", "documents"]
            .into_iter()
            .chain(["ocr", "model", "workers", "jobs", "pauses", "secrets"])
    {
        assert!(findings.iter().any(|finding| finding["check"] == check), "{check} is not looked at");
        assert_eq!(faults(&findings, check), [], "{check}");
    }
    assert_fault(&findings, "queues", "is missing", "start an api or a worker");
    assert_eq!(std::fs::read_dir(house.folder.path().join("probe")).map(Iterator::count).unwrap_or(0), 0);
}

#[tokio::test]
async fn what_is_away_is_named_and_all_else_is_looked_at() {
    let house = House::new().await;
    let (content, findings) = house
        .doctor(&[
            ("DATABASE_URL", "postgres://rb_ocr@127.0.0.1:1/rb_ocr"),
            ("AMQP_URL", "amqp://guest:guest@127.0.0.1:1/%2f"),
            ("STORAGE_URL", "file:///proc/nothing"),
            ("OCR_ENGINE", "http"),
            ("OCR_BASE_URL", "http://127.0.0.1:1"),
            ("ANALYZER", "llm"),
            ("LLM_BASE_URL", "http://127.0.0.1:1"),
            ("LLM_MODEL", "m"),
        ])
        .await;
    assert!(!content);
    assert_fault(&findings, "database", "wrong: the database is unavailable", "DATABASE_URL");
    assert_fault(&findings, "broker", "wrong: the broker failed", "AMQP_URL");
    assert_fault(&findings, "documents", "wrong: a probe cannot be written", "STORAGE_URL");
    assert_fault(&findings, "ocr", "wrong: the OCR service cannot be reached", "OCR_BASE_URL");
    assert_fault(&findings, "model", "wrong: the model's server cannot be reached", "LLM_BASE_URL");
    assert_fault(&findings, "workers", "cannot be asked", "the database's line");
    assert!(!format!("{findings:?}").contains("guest"), "no credentials are shown");
}

#[tokio::test]
async fn settings_that_are_wrong_are_all_named_and_the_places_are_looked_at() {
    let house = House::new().await;
    let (content, findings) = house.doctor(&[("LEASE_SECONDS", "soon"), ("TIME_ZONE", "Mars")]).await;
    assert!(!content);
    assert_fault(&findings, "settings", "wrong: LEASE_SECONDS", "mend it");
    assert_fault(&findings, "settings", "wrong: TIME_ZONE", "mend it");
    assert_eq!(faults(&findings, "database"), []);
    let (content, findings) = house.doctor(&[("JUDGE_AS_OF", "2026-11-22")]).await;
    assert!(content, "a warning is no fault");
    assert_fault(&findings, "settings", "warning: JUDGE_AS_OF is set", "unset it");
}

#[tokio::test]
async fn a_schema_that_is_behind_and_a_fleet_without_workers_are_named() {
    let house = House::new().await;
    let pool = house.database.pool();
    for statement in [
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (29990101000000, 'newer', true, '', 0)",
        "DELETE FROM workers",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    let (content, findings) = house.doctor(&[]).await;
    assert!(!content);
    assert_fault(&findings, "schema", "wrong: 1 migrations are missing", "rb-ocr migrate");
    assert_fault(&findings, "workers", "wrong: no worker is alive", "start one");
}

#[tokio::test]
async fn a_queue_that_is_no_quorum_queue_is_named() {
    let house = House::new().await;
    let connection = lapin::Connection::connect(&Services::get().amqp_url, lapin::ConnectionProperties::default());
    let channel = connection.await.unwrap().create_channel().await.unwrap();
    let name = format!("{}.callbacks", house.queues.prefix());
    let declared = channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), FieldTable::default());
    declared.await.unwrap();
    let (content, findings) = house.doctor(&[]).await;
    assert!(!content);
    assert_fault(&findings, "queues", &format!("wrong: {name} is no quorum queue"), "delete it");
}

#[tokio::test]
async fn what_is_paused_and_secrets_that_do_not_open_are_named_by_whose_they_are() {
    let house = House::new().await;
    let pool = house.database.pool();
    let bank = client(pool, "bank").await;
    let sealed = Sealer::new(&SecretsKey([7; 32])).seal(b"whsec_x", &client_secrets::secret_context(bank));
    client_secrets::rotate(pool, bank, &sealed, std::time::Duration::ZERO).await.unwrap();
    switches::pause(pool, switches::Switch::Callbacks, "aigerim", "their endpoint moves").await.unwrap();
    let (content, findings) = house.doctor(&[]).await;
    assert!(!content);
    assert_fault(&findings, "secrets", "wrong: SECRETS_KEY does not open the secrets of bank", "secrets rotate");
    assert_fault(&findings, "pauses", "by aigerim: their endpoint moves", "rb-ocr resume callbacks");
    let (_, findings) = house.doctor(&[("SECRETS_KEY", "")]).await;
    assert_fault(&findings, "secrets", "wrong: SECRETS_KEY is not set, and 1 secrets are kept", "openssl rand");
}
