//! What goes when, and what stays.

use chrono::TimeDelta;
use shared::retention::{DUTY, Keeper, TERM, plan};
use shared::store::erasures::{Fate, fate_of};
use shared::store::{duties, retention};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::house::{House, Old};

#[tokio::test]
async fn a_run_leaves_the_database_on_its_day_and_its_neighbour_of_the_day_after_stays() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let accepted = house.add(bank, Old::success(90)).await;
    let failed = house.add(bank, Old::error(180)).await;
    let stay = [house.add(bank, Old::error(179)).await, house.add(bank, Old::success(89)).await];

    let report = house.keep().await;
    assert_eq!((report.archived, report.failures), (2, vec![]));
    assert_eq!(house.runs().await, stay);
    for table in ["ocr_pages", "llm_calls", "callbacks", "callback_attempts", "reviews"] {
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(house.pool())
            .await
            .unwrap();
        assert_eq!(rows, 2, "{table}: text, calls and all else go with their run");
    }
    assert_eq!(house.count("SELECT count(*) FROM verification_errors").await, 1);
    for run_id in [accepted, failed] {
        assert_eq!(fate_of(house.pool(), run_id).await.unwrap(), Some((bank, Fate::Archived)), "whose it was is known");
    }
    assert_eq!(house.archived_runs(house.month(90)).await, [accepted]);
    assert_eq!(house.archived_runs(house.month(180)).await, [failed]);
    // A second round has nothing to do.
    let again = house.keep().await;
    assert_eq!((again.archived, again.deleted, again.dropped), (0, 0, 0));
}

#[tokio::test]
async fn a_document_goes_by_a_job_and_no_run_goes_while_anything_is_owed_for_it() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let young = house.add(bank, Old { document: true, ..Old::success(29) }).await;
    let middle = house.add(bank, Old { document: true, ..Old::success(30) }).await;
    let old = house.add(bank, Old { document: true, ..Old::success(91) }).await;
    let owed = house.add(bank, Old::success(91)).await;
    house.owe(owed, "callback").await;

    let report = house.keep().await;
    assert_eq!((report.documents, report.archived), (2, 0), "a run waits for its document's end");
    let keys = "SELECT payload ->> 'keys' FROM jobs WHERE kind = 'erase' AND run_id = $1";
    let keys: String = sqlx::query_scalar(keys).bind(middle).fetch_one(house.pool()).await.unwrap();
    let keys: Vec<String> = serde_json::from_str(&keys).unwrap();
    assert_eq!(keys, [format!("documents/test/{middle}"), format!("pages/test/{middle}")]);
    assert_eq!(house.runs().await.len(), 4);
    assert_eq!(house.count("SELECT count(*) FROM verification_runs WHERE document_key IS NOT NULL").await, 1);
    assert_eq!(house.count("SELECT count(*) FROM ocr_pages WHERE image_key IS NOT NULL").await, 1);
    assert!(house.documents.get(&format!("documents/test/{young}")).await.is_ok());

    assert_eq!(house.keep().await.archived, 0, "the store has not confirmed yet");
    house.files_are_erased().await;
    assert_eq!(house.keep().await.archived, 1);
    assert_eq!(house.runs().await, {
        let mut stay = vec![owed, middle, young];
        stay.sort_unstable();
        stay
    });
    assert!(!house.runs().await.contains(&old));
    sqlx::query("DELETE FROM jobs").execute(house.pool()).await.unwrap();
    house.keep().await;
    assert!(!house.runs().await.contains(&owed), "nothing is owed any more");
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_left_and_nobody_waits() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let held = house.add(bank, Old::success(91)).await;
    let free = house.add(bank, Old::success(91)).await;
    let mut other = house.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM verification_runs WHERE run_id = $1 FOR UPDATE")
        .bind(held)
        .execute(&mut *other)
        .await
        .unwrap();
    let report = house.keep().await;
    assert_eq!((report.archived, report.deleted), (2, 1));
    other.rollback().await.unwrap();
    assert_eq!(house.runs().await, [held]);
    assert_eq!(house.keep().await.deleted, 1);
    let mut both = vec![held, free];
    both.sort_unstable();
    assert_eq!(house.archived_runs(house.month(91)).await, both, "it was archived twice and is there once");
}

#[tokio::test]
async fn more_than_a_batch_goes_in_batches() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    house.add(bank, Old::success(91)).await;
    let at = house.ago(91);
    // Runs of one millisecond each, after the one that is there.
    sqlx::query(
        "INSERT INTO verification_runs (run_id, client_id, created_at, completed_at, fio, fio_search, original_filename,
             document_deleted_at, content_type, file_size_bytes, sha256, status, stage, verdict, validation_checks, validity_day)
         SELECT (left(uuid7_floor($2 + n * interval '1 millisecond')::text, 14) || '7000-8000-000000000000')::uuid, $1,
                $2 + n * interval '1 millisecond', $2 + interval '1 hour', 'а б', 'а б', 'f', $2, 'application/pdf', 1,
                sha256('x'), 'success', 'done', true, '{}', current_date
         FROM generate_series(1, 2500) n",
    )
    .bind(bank)
    .bind(at)
    .execute(house.pool())
    .await
    .unwrap();
    let steps = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&steps);
    let scratch = TempDir::new().unwrap();
    assert!(duties::take(house.pool(), DUTY, "test", TERM).await.unwrap());
    let keeper = house.keeper(scratch.path()).telling(move |step| told.lock().unwrap().push(step));
    let report = keeper.keep().await.unwrap();
    assert_eq!((report.archived, report.deleted), (2501, 2501));
    let steps = std::mem::take(&mut *steps.lock().unwrap());
    let deletions: Vec<u64> = steps.iter().filter(|step| step.what == "deleted").map(|step| step.count).collect();
    assert!(deletions.len() > 10 && deletions.iter().all(|count| *count <= 200), "{deletions:?}");
    assert!(house.runs().await.is_empty());
}

#[tokio::test]
async fn an_imported_run_is_kept_for_a_term_from_its_import() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let days = house.in_a_month_older_than(400);
    let month = house.month(days);
    let fresh = house.add(bank, Old { retain_from: Some(house.ago(89)), ..Old::success(days) }).await;
    let over = house.add(bank, Old { retain_from: Some(house.ago(90)), ..Old::success(days) }).await;
    let report = house.keep().await;
    assert_eq!((report.archived, report.dropped), (1, 0), "its month cannot go");
    assert_eq!(house.runs().await, [fresh]);
    assert_eq!(house.archived_runs(month).await, [over]);
    let past = house.ago(91);
    sqlx::query("UPDATE verification_runs SET retain_from = $1").bind(past).execute(house.pool()).await.unwrap();
    assert_eq!(house.keep().await.dropped, 1);
    assert!(!retention::attached(house.pool(), "verification_runs").await.unwrap().contains(&month));
    assert_eq!(house.archived_runs(month).await.len(), 2);
}

#[tokio::test]
async fn idempotency_keys_go_after_their_time() {
    let house = House::new().await;
    sqlx::query(
        "INSERT INTO idempotency_keys (client_id, key, token, expires_at)
         SELECT gen_random_uuid(), n::text, gen_random_uuid(), now() + n * interval '1 hour' FROM generate_series(-1200, 3) n",
    )
    .execute(house.pool())
    .await
    .unwrap();
    assert_eq!(house.keep().await.idempotency_keys, 1201);
    assert_eq!(house.count("SELECT count(*) FROM idempotency_keys").await, 3);
}

#[tokio::test]
async fn the_plan_says_what_is_due_and_changes_nothing() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let whole = house.in_a_month_older_than(400);
    house.add(bank, Old::error(whole)).await;
    house.add(bank, Old { document: true, ..Old::success(91) }).await;
    house.add(bank, Old { document: true, ..Old::success(31) }).await;
    house.add(bank, Old::success(1)).await;
    let before = house.count("SELECT count(*) FROM verification_runs").await;
    let told = house.told(&["retention", "plan"]).await;
    assert_eq!((&told["runs"], &told["held"], &told["documents"]), (&2.into(), &1.into(), &2.into()), "{told}");
    let dropped: Vec<_> = told["months"].as_array().unwrap().iter().filter(|month| month["drops"] == true).collect();
    assert!(dropped.iter().any(|month| month["month"] == house.month(whole).format("%Y-%m").to_string()), "{told}");
    assert_eq!(house.count("SELECT count(*) FROM verification_runs").await, before);
    assert_eq!(house.count("SELECT count(*) FROM jobs").await, 0);
    assert!(!house.store.path().join("archive").exists());

    let done = house.told(&["retention", "run"]).await;
    assert_eq!(
        (&done["documents"], &done["archived"], &done["months_dropped"]),
        (&2.into(), &1.into(), &1.into()),
        "{done}"
    );
    let later = plan(house.pool(), &house.terms).await.unwrap();
    assert_eq!(later.months.iter().map(|month| month.due.documents).sum::<i64>(), 0);
}

#[tokio::test]
async fn one_keeps_the_terms_at_a_time_and_one_that_has_lost_the_duty_stops() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    house.add(bank, Old::success(91)).await;
    assert!(duties::take(house.pool(), DUTY, "another", TERM).await.unwrap());
    let refused = house.refused(&["retention", "run"]).await;
    assert!(refused.contains("another is about it"), "{refused}");
    let scratch = TempDir::new().unwrap();
    let lost = house.keeper(scratch.path()).keep().await;
    assert!(matches!(lost, Err(shared::archive::ArchiveError::TakenOver)), "{lost:?}");
    assert_eq!(house.runs().await.len(), 1);

    duties::release(house.pool(), DUTY, "another").await.unwrap();
    assert!(duties::take(house.pool(), DUTY, "test", TERM).await.unwrap());
    let stop = CancellationToken::new();
    stop.cancel();
    let (pool, documents) = (house.pool().clone(), house.documents.clone());
    let stopped = Keeper::new(pool, documents, scratch.path(), house.terms.clone(), "test", stop).keep().await;
    assert!(matches!(stopped, Err(shared::archive::ArchiveError::Stopped)), "{stopped:?}");
}

#[tokio::test]
async fn the_graves_of_archived_runs_are_kept_as_long_as_the_audit() {
    let house = House::new().await;
    let term = TimeDelta::from_std(house.terms.audit).unwrap().num_days();
    for days in [term + 1, term - 1] {
        let id = "INSERT INTO archived_runs SELECT uuid7_floor($1), gen_random_uuid()";
        sqlx::query(id).bind(house.ago(days)).execute(house.pool()).await.unwrap();
    }
    house.keep().await;
    assert_eq!(house.count("SELECT count(*) FROM archived_runs").await, 1);
}
