//! Rows for tests of the store's statements: clients, and runs as intake begins them.

use std::time::Duration;

use shared::clock::DatabaseClock;
use shared::domain::{ContentType, Priority};
use shared::store::intake::{self, NewRun};
use shared::store::{Pool, clients};
use uuid::Uuid;

/// A client of this name.
pub async fn client(pool: &Pool, name: &str) -> Uuid {
    clients::ensure(pool, Uuid::now_v7(), name).await.expect("a client can be made").0
}

/// A run that can be begun; nothing in it is anybody's.
pub fn new_run(client_id: Uuid) -> NewRun {
    let (run_id, created_at) = DatabaseClock::default().new_run_id();
    NewRun {
        run_id,
        created_at,
        client_id,
        created_by: Uuid::nil(),
        ip_address: None,
        fio: "Тестова Тест Тестовна".into(),
        fio_search: "тестова тест тестовна".into(),
        iin: None,
        external_request_id: None,
        metadata: serde_json::json!({}),
        priority: Priority::Normal,
        callback_url: None,
        original_filename: "a.pdf".into(),
        document_key: format!("documents/test/{run_id}"),
        content_type: ContentType::Pdf,
        file_size_bytes: 1,
        sha256: rand::random(),
        validity_day: created_at.date_naive(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        trace_context: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        max_age: Duration::from_secs(3600),
    }
}

/// Begins a run.
pub async fn begin(pool: &Pool, run: &NewRun) -> Uuid {
    assert!(intake::begin(pool, run, None).await.expect("a run can be begun"));
    run.run_id
}
