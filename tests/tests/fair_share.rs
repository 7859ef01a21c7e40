//! One client's bulk against another's single document, and urgent runs against others: the real relay, broker and
//! worker. What is counted is whose runs were claimed before whose, not how long anything took.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::time::Duration;

use harness::caller;
use harness::papers;
use harness::records::client;
use harness::services::checkout;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Ocr};
use harness::until::until;
use shared::clock::DatabaseClock;
use shared::store::Pool;
use uuid::Uuid;

/// Where the one document lies that all runs of a bulk are about.
const DOCUMENT: &str = "documents/bulk.jpg";

/// Logs when jobs come into being and when they are claimed, in one order.
const LOG: &str = "
    CREATE TABLE job_log (
        place bigserial PRIMARY KEY, what text NOT NULL, run_id uuid NOT NULL, client_id uuid NOT NULL, priority text NOT NULL);
    CREATE FUNCTION log_job() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO job_log (what, run_id, client_id, priority)
        VALUES (CASE TG_OP WHEN 'INSERT' THEN 'due' ELSE 'claimed' END, NEW.run_id, NEW.client_id, NEW.priority);
        RETURN NULL;
    END $$;
    CREATE TRIGGER log_due AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.kind = 'run') EXECUTE FUNCTION log_job();
    CREATE TRIGGER log_claims AFTER UPDATE ON jobs FOR EACH ROW
        WHEN (NEW.kind = 'run' AND NEW.lease_token IS NOT NULL AND NEW.lease_token IS DISTINCT FROM OLD.lease_token)
        EXECUTE FUNCTION log_job()";

/// A system with so many slots, whose runs take a moment each.
async fn system(slots: u32) -> (Stack, Ocr) {
    let delay = Duration::from_millis(100);
    let ocr = Ocr::start(Behaviour { delay, ..Behaviour::reading(&[&papers::certificate()]) }).await;
    let stack = Stack::plan().ocr(ocr.base_url()).set("WORKER_CONCURRENCY", slots.to_string()).start().await;
    let file = stack.documents().join(DOCUMENT);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::copy(checkout().join("tests/documents/d114.jpg"), file).unwrap();
    sqlx::raw_sql(LOG).execute(stack.database().pool()).await.unwrap();
    (stack, ocr)
}

/// So many runs at once, as if they had been submitted.
async fn bulk(pool: &Pool, client_id: Uuid, priority: &str, count: usize) {
    let (ids, times): (Vec<_>, Vec<_>) = (0..count).map(|_| DatabaseClock::default().new_run_id()).unzip();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO verification_runs (run_id, created_at, client_id, fio, fio_search, priority, original_filename,
            document_key, content_type, file_size_bytes, sha256, validity_day)
         SELECT id, at, $3, 'Круглов Олег', 'круглов олег', $4, 'bulk.jpg', $5, 'image/jpeg', 1, sha256('x'), at::date
         FROM unnest($1::uuid[], $2::timestamptz[]) AS new (id, at)",
    )
    .bind(&ids)
    .bind(&times)
    .bind(client_id)
    .bind(priority)
    .bind(DOCUMENT)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO jobs (job_id, kind, run_id, client_id, priority, expires_at)
         SELECT gen_random_uuid(), 'run', id, $2, $3, now() + interval '1 hour' FROM unnest($1::uuid[]) AS new (id)",
    )
    .bind(&ids)
    .bind(client_id)
    .bind(priority)
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
}

async fn place(pool: &Pool, what: &str, run_id: Uuid) -> Option<i64> {
    sqlx::query_scalar("SELECT min(place) FROM job_log WHERE what = $1 AND run_id = $2")
        .bind(what)
        .bind(run_id)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn one_document_behind_ten_thousand_of_another_client_waits_for_slots_and_not_for_them() {
    const SLOTS: u32 = 4;
    // Twice the slots, eight at least: what the relay has published before the one comes.
    const WINDOW: i64 = 8;
    let (stack, _ocr) = system(SLOTS).await;
    let pool = stack.database().pool();
    bulk(pool, client(pool, "bulk").await, "normal", 10_000).await;
    until("claim of the bulk", async || (stack.count("job_log WHERE what = 'claimed'").await >= 10).then_some(()))
        .await;

    let one = stack.bank().await.submit(caller::valid_form()).await;
    let claimed = until("claim of the one", async || place(pool, "claimed", one).await).await;
    let due = place(pool, "due", one).await.unwrap();
    let before = stack.count(&format!("job_log WHERE what = 'claimed' AND place > {due} AND place < {claimed}")).await;
    assert!(before <= WINDOW + i64::from(SLOTS), "{before} of the bulk were begun before the one");
    let waiting = stack.count("jobs WHERE kind = 'run' AND published_at IS NULL").await;
    assert!(waiting > 9_000, "the bulk still waits: {waiting}");
}

#[tokio::test]
async fn urgent_runs_go_four_to_one_and_a_bulk_of_them_starves_nobody() {
    let (stack, _ocr) = system(10).await;
    let pool = stack.database().pool();
    let owner = client(pool, "bulk").await;
    bulk(pool, owner, "normal", 400).await;
    bulk(pool, owner, "high", 400).await;
    let claims = "job_log WHERE what = 'claimed' AND priority = 'high'";
    until("claim of every urgent run", async || (stack.count(claims).await >= 400).then_some(())).await;
    // From where both lanes are at work to the last of the urgent runs.
    let (high, normal): (i64, i64) = sqlx::query_as(
        "WITH claims AS (SELECT place, priority FROM job_log WHERE what = 'claimed'),
              both_at_work AS (SELECT max(first) AS place FROM (SELECT min(place) AS first FROM claims GROUP BY priority) firsts),
              last_urgent AS (SELECT max(place) AS place FROM claims WHERE priority = 'high')
         SELECT count(*) FILTER (WHERE priority = 'high'), count(*) FILTER (WHERE priority = 'normal')
         FROM claims, both_at_work, last_urgent
         WHERE claims.place > both_at_work.place AND claims.place <= last_urgent.place",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(high >= 2 * normal, "{high} urgent, {normal} others");
    assert!(normal * 12 >= high, "{high} urgent, {normal} others");
}
