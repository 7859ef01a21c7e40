//! Rows for tests of the store's statements: clients, runs as intake begins them, and the steps of a job.

use std::time::Duration;

use shared::clock::DatabaseClock;
use shared::domain::{Checks, ContentType, Evidence, Priority};
use shared::store::finish::{Finish, FinishedPage, FinishedVerdict};
use shared::store::intake::{self, NewRun};
use shared::store::jobs::{self, PublishedJob, RunClaim, RunTerms};
use shared::store::workers::{self, Heartbeat};
use shared::store::{Pool, clients};
use uuid::Uuid;

/// `LEASE_SECONDS`.
pub const LEASE: Duration = Duration::from_secs(30);
/// `RUN_WORK_BUDGET`.
pub const BUDGET: Duration = Duration::from_secs(900);
/// Attempts of a run.
pub const ATTEMPTS: u32 = 5;

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

/// Marks what is due published, as a relay does.
pub async fn published(pool: &Pool) -> Vec<PublishedJob> {
    jobs::fill_windows(pool).await.expect("the windows are filled").jobs
}

/// Claims a run as a worker does.
pub async fn claim(pool: &Pool, job: &PublishedJob, lease: Duration) -> Option<RunClaim> {
    let ids = (job.job_id, job.run_id);
    let terms = RunTerms { owner: "worker", lease, max_attempts: ATTEMPTS, work_budget: BUDGET };
    jobs::claim_runs(pool, &[ids], terms).await.expect("the database answers").pop().flatten()
}

/// A run that somebody works on.
pub async fn claimed(pool: &Pool, run: &NewRun) -> RunClaim {
    begin(pool, run).await;
    let jobs = published(pool).await;
    let job = jobs.iter().find(|job| job.run_id == run.run_id).expect("it is published");
    claim(pool, job, LEASE).await.expect("nobody else has it")
}

/// A verdict that accepts the document.
pub fn accepted() -> Finish {
    let yes = Some(true);
    Finish {
        verdict: Some(FinishedVerdict {
            verdict: true,
            checks: Checks { fio_match: yes, doc_type_known: yes, doc_date_valid: yes, single_doc_type: yes },
            fio: Some("Тестова Тест Тестовна".into()),
            doc_date: "2026-11-20".parse().ok(),
            doc_type: Some("Справка об инвалидности"),
            single_doc_type: true,
            doc_type_known: yes,
            evidence: Evidence::default(),
            flags: vec![],
        }),
        pages: vec![FinishedPage {
            number: 1,
            text: "справка".into(),
            confidence: Some(0.9),
            source: "tesseract",
            image_key: None,
        }],
        worker: "worker".into(),
        ..Finish::default()
    }
}

/// As if this time had passed for every lease, schedule and publishing.
pub async fn time_passes(pool: &Pool, seconds: i32) {
    let statement = "UPDATE jobs SET lease_until = lease_until - $1 * interval '1 second',
        leased_at = leased_at - $1 * interval '1 second', published_at = published_at - $1 * interval '1 second',
        available_at = available_at - $1 * interval '1 second', expires_at = expires_at - $1 * interval '1 second'";
    sqlx::query(statement).bind(seconds).execute(pool).await.expect("the jobs can be changed");
}

/// What `SELECT count(*)` answers.
pub async fn count(pool: &Pool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.expect("the database counts")
}

/// A worker `host/1` that has just said that it lives.
pub async fn worker_is_alive(pool: &Pool) {
    let beat = Heartbeat {
        worker_id: "host/1",
        host: "host",
        version: "1",
        run_slots: 2,
        callback_slots: 2,
        busy_runs: 1,
        busy_callbacks: 0,
        draining: false,
    };
    workers::beat(pool, &beat).await.expect("the database answers");
}
