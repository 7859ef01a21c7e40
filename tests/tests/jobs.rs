//! The life of a job in the real statements of the store: waiting, published, leased, gone.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::collections::HashMap;
use std::time::Duration;

use harness::records::{
    ATTEMPTS, BUDGET, LEASE, accepted, begin, claim, claimed, client, count, new_run, published, time_passes,
};
use harness::services::Database;
use shared::domain::{ErrorCode, Status};
use shared::store::finish::{Finish, finish};
use shared::store::jobs::{self, Ending, Lane, RunTerms};
use shared::store::runs;
use uuid::Uuid;

#[tokio::test]
async fn a_window_is_filled_by_turns_between_clients_however_long_their_backlogs_are() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let (bulk, single) = (client(pool, "bulk").await, client(pool, "single").await);
    for _ in 0..30 {
        begin(pool, &new_run(bulk)).await;
    }
    let first = jobs::fill_windows(pool).await.unwrap();
    assert_eq!((first.jobs.len(), first.more), (8, true), "without workers the window holds eight");
    assert!(published(pool).await.is_empty(), "a full window takes no more");

    let alone = begin(pool, &new_run(single)).await;
    claim(pool, &first.jobs[0], LEASE).await.unwrap();
    let next = published(pool).await;
    assert_eq!(next.iter().map(|job| job.run_id).collect::<Vec<_>>(), [alone], "the first room is not the bulk's");
}

#[tokio::test]
async fn a_window_is_filled_without_going_through_the_backlog() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bulk").await;
    // One connection, since a plan is its own: made before there is anything, as at the start of a system.
    let mut connection = pool.acquire().await.unwrap();
    let prepare = concat!("PREPARE fill AS ", include_str!("../../shared/src/store/jobs/fill_windows.sql"));
    sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
    sqlx::raw_sql(prepare).execute(&mut *connection).await.unwrap();
    sqlx::raw_sql("EXECUTE fill").execute(&mut *connection).await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (job_id, kind, run_id, client_id)
         SELECT gen_random_uuid(), 'run', gen_random_uuid(), $1 FROM generate_series(1, 20000)",
    )
    .bind(owner)
    .execute(&mut *connection)
    .await
    .unwrap();
    let explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json) EXECUTE fill";
    let told: serde_json::Value =
        sqlx::query_scalar(explain).persistent(false).fetch_one(&mut *connection).await.unwrap();
    let touched = told[0]["Plan"]["Shared Hit Blocks"].as_u64().unwrap()
        + told[0]["Plan"]["Shared Read Blocks"].as_u64().unwrap();
    assert!(touched < 300, "{touched} blocks for a window of eight: {told:#}");
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE published_at IS NOT NULL").await, 8);
}

#[tokio::test]
async fn each_job_is_published_once_by_however_many_relays() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    for _ in 0..40 {
        begin(pool, &new_run(owner)).await;
    }
    let mut times: HashMap<Uuid, u32> = HashMap::new();
    loop {
        let relays = futures::future::join_all((0..4).map(|_| published(pool))).await;
        let round: Vec<_> = relays.into_iter().flatten().collect();
        if round.is_empty() {
            break;
        }
        for job in round {
            *times.entry(job.job_id).or_default() += 1;
            claim(pool, &job, LEASE).await.unwrap();
        }
    }
    assert_eq!(times.len(), 40);
    assert!(times.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_job_is_claimed_by_one_worker_only() {
    let database = Database::fresh().await;
    let pool = database.pool();
    begin(pool, &new_run(client(pool, "bank").await)).await;
    let job = published(pool).await.pop().unwrap();
    let claims = futures::future::join_all((0..5).map(|_| claim(pool, &job, LEASE))).await;
    assert_eq!(claims.iter().flatten().count(), 1);
}

#[tokio::test]
async fn runs_are_claimed_together_each_on_its_own_terms() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    for _ in 0..4 {
        begin(pool, &new_run(owner)).await;
    }
    let jobs = published(pool).await;
    claim(pool, &jobs[1], LEASE).await.unwrap();
    let terms = RunTerms { owner: "worker", lease: LEASE, max_attempts: ATTEMPTS, work_budget: BUDGET };
    let (taken, gone) = (&jobs[1], Uuid::now_v7());
    let delivered = [
        (jobs[3].job_id, jobs[3].run_id),
        (taken.job_id, taken.run_id),
        (jobs[0].job_id, jobs[0].run_id),
        (gone, jobs[2].run_id),
        (jobs[0].job_id, jobs[0].run_id),
        // of another run than the message says
        (jobs[2].job_id, jobs[3].run_id),
    ];
    let claims = jobs::claim_runs(pool, &delivered, terms).await.unwrap();
    let runs = claims.iter().map(|claim| claim.as_ref().map(|claim| claim.run_id)).collect::<Vec<_>>();
    assert_eq!(runs[0], Some(jobs[3].run_id));
    assert_eq!([runs[1], runs[3], runs[5]], [None; 3], "leased, gone, and of another run");
    assert_eq!(
        [runs[2], runs[4]].iter().flatten().collect::<Vec<_>>(),
        [&jobs[0].run_id],
        "of two deliveries one wins"
    );
    for claim in claims.into_iter().flatten() {
        assert_eq!(claim.attempt, 1);
        assert!(finish(pool, claim.lease, claim.run_id, &accepted()).await.unwrap().is_some(), "its lease is its own");
    }
    assert!(jobs::claim_runs(pool, &[], terms).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_stalls_past_its_lease_changes_nothing() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let stalled = claimed(pool, &new_run(client(pool, "bank").await)).await;
    time_passes(pool, 31).await;
    assert_eq!(jobs::expire_leases(pool, ATTEMPTS).await.unwrap(), 1);
    let again = published(pool).await.pop().unwrap();
    let second = claim(pool, &again, LEASE).await.unwrap();
    assert_eq!(second.attempt, 2);

    assert!(finish(pool, stalled.lease, stalled.run_id, &accepted()).await.unwrap().is_none());
    assert!(!jobs::retry(pool, stalled.lease, Duration::ZERO, "late").await.unwrap());
    assert_eq!(jobs::give_back(pool, &[stalled.lease], Duration::ZERO).await.unwrap(), 0);
    assert!(jobs::renew(pool, &[stalled.lease], LEASE).await.unwrap().is_empty());
    assert_eq!(runs::find(pool, stalled.run_id).await.unwrap().unwrap().status, Status::Processing);

    assert!(finish(pool, second.lease, second.run_id, &accepted()).await.unwrap().is_some());
    let run = runs::find(pool, second.run_id).await.unwrap().unwrap();
    assert_eq!((run.status, run.verdict, run.attempts), (Status::Success, Some(true), 2));
    assert!(finish(pool, second.lease, second.run_id, &accepted()).await.unwrap().is_none(), "and never twice");
    assert_eq!(count(pool, "SELECT count(*) FROM ocr_pages").await, 1);
}

#[tokio::test]
async fn an_expired_lease_can_be_claimed_before_upkeep_has_looked() {
    let database = Database::fresh().await;
    let pool = database.pool();
    begin(pool, &new_run(client(pool, "bank").await)).await;
    let job = published(pool).await.pop().unwrap();
    claim(pool, &job, LEASE).await.unwrap();
    assert!(claim(pool, &job, LEASE).await.is_none());
    time_passes(pool, 31).await;
    let second = claim(pool, &job, LEASE).await.unwrap();
    let worked: i64 = count(pool, "SELECT work_ms FROM jobs").await;
    assert!((29_000..=31_000).contains(&worked), "the first lease's time counts as work, not {worked} ms");
    assert_eq!(second.attempt, 2);
}

#[tokio::test]
async fn what_is_given_back_costs_no_attempt_and_what_failed_waits_for_its_pause() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let first = claimed(pool, &new_run(client(pool, "bank").await)).await;
    jobs::give_back(pool, &[first.lease], Duration::ZERO).await.unwrap();
    let job = published(pool).await.pop().unwrap();
    let second = claim(pool, &job, LEASE).await.unwrap();
    assert_eq!(second.attempt, 1);
    assert!(jobs::retry(pool, second.lease, Duration::from_secs(5), "OCR_FAILED").await.unwrap());
    assert!(published(pool).await.is_empty(), "it is not due yet");
    assert!(claim(pool, &job, LEASE).await.is_none(), "an old message does not make it due");
    time_passes(pool, 5).await;
    let job = published(pool).await.pop().unwrap();
    assert_eq!(claim(pool, &job, LEASE).await.unwrap().attempt, 2);
}

#[tokio::test]
async fn a_run_whose_lease_runs_out_five_times_ends_with_a_dead_letter() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let run_id = begin(pool, &new_run(client(pool, "bank").await)).await;
    for _ in 0..ATTEMPTS {
        let job = published(pool).await.pop().unwrap();
        claim(pool, &job, LEASE).await.unwrap();
        assert!(jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap().is_empty());
        time_passes(pool, 31).await;
        jobs::expire_leases(pool, ATTEMPTS).await.unwrap();
    }
    assert!(published(pool).await.is_empty());
    let ended = jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap().pop().unwrap();
    assert_eq!((ended.ending, ended.attempts), (Ending::Crashed, 5));
    let ending = Finish {
        errors: vec![ErrorCode::UnknownError],
        dead_reason: Some("crashed".into()),
        last_worker: ended.last_owner.clone(),
        worker: "upkeep".into(),
        ..Finish::default()
    };
    finish(pool, ended.lease, run_id, &ending).await.unwrap().unwrap();
    let run = runs::find(pool, run_id).await.unwrap().unwrap();
    assert_eq!((run.status, run.errors[0].code), (Status::Error, ErrorCode::UnknownError));
    assert_eq!(
        count(
            pool,
            "SELECT count(*) FROM dead_jobs WHERE reason = 'crashed' AND attempts = 5 AND last_worker = 'worker'"
        )
        .await,
        1
    );
    assert_eq!(count(pool, "SELECT count(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn a_run_past_its_age_is_ended_although_no_worker_holds_it() {
    let database = Database::fresh().await;
    let pool = database.pool();
    begin(pool, &new_run(client(pool, "bank").await)).await;
    assert!(jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap().is_empty());
    time_passes(pool, 3601).await;
    let job = published(pool).await.pop().unwrap();
    assert!(claim(pool, &job, LEASE).await.is_none(), "there is no time left to work on it");
    let ended = jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap();
    assert_eq!(ended.iter().map(|job| job.ending).collect::<Vec<_>>(), [Ending::TimedOut]);
}

#[tokio::test]
async fn a_run_that_has_used_up_its_work_over_several_attempts_is_ended_although_no_worker_holds_it() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let first = claimed(pool, &new_run(client(pool, "bank").await)).await;
    let asked = first.time_left.as_secs();
    assert!((899..=900).contains(&asked), "all of the budget, not {asked} s");
    // It works on, its lease renewed all the while.
    time_passes(pool, 500).await;
    jobs::give_back(pool, &[first.lease], Duration::ZERO).await.unwrap();
    let job = published(pool).await.pop().unwrap();
    let second = claim(pool, &job, LEASE).await.unwrap();
    assert_eq!(second.attempt, 1, "what was given back cost no attempt, but its work was work");
    let left = second.time_left.as_secs();
    assert!((395..=400).contains(&left), "what is left after 500 s, not {left} s");
    time_passes(pool, 401).await;
    assert!(jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap().is_empty(), "it is held");
    assert!(jobs::retry(pool, second.lease, Duration::from_secs(5), "OCR_FAILED").await.unwrap());
    let ended = jobs::take_timed_out(pool, "upkeep", LEASE, ATTEMPTS, BUDGET).await.unwrap();
    assert_eq!(ended.iter().map(|job| job.ending).collect::<Vec<_>>(), [Ending::TimedOut]);
}

#[tokio::test]
async fn waiting_is_no_work() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let first = claimed(pool, &new_run(client(pool, "bank").await)).await;
    jobs::give_back(pool, &[first.lease], Duration::from_secs(1000)).await.unwrap();
    time_passes(pool, 1000).await;
    let job = published(pool).await.pop().unwrap();
    assert!(claim(pool, &job, LEASE).await.unwrap().time_left > BUDGET - Duration::from_secs(10));
}

#[tokio::test]
async fn a_worker_that_takes_no_runs_draws_none_into_the_window() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    for _ in 0..30 {
        begin(pool, &new_run(owner)).await;
    }
    let beat = async |run_slots| {
        let beat = shared::store::workers::Heartbeat {
            worker_id: "one",
            host: "here",
            version: "1",
            run_slots,
            callback_slots: 64,
            busy_runs: 0,
            busy_callbacks: 0,
            draining: false,
        };
        shared::store::workers::beat(pool, &beat).await.unwrap();
    };
    beat(10).await;
    beat(0).await;
    assert_eq!(published(pool).await.len(), 8, "the least there is, for a probe");
    beat(10).await;
    assert_eq!(published(pool).await.len(), 12, "twenty in all");
}

#[tokio::test]
async fn a_callback_that_is_given_up_has_failed_and_is_kept() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let mut run = new_run(client(pool, "bank").await);
    run.callback_url = Some("https://callbacks.example/".into());
    begin(pool, &run).await;
    let job = published(pool).await.pop().unwrap();
    let lease = claim(pool, &job, LEASE).await.unwrap().lease;
    finish(pool, lease, run.run_id, &accepted()).await.unwrap().unwrap();
    let job = published(pool).await.pop().unwrap();
    let claimed = jobs::claim_callback(pool, (job.job_id, job.run_id), "worker", LEASE).await.unwrap().unwrap();
    assert!(claimed.age < LEASE);
    let give_up = async || {
        shared::store::callback_attempts::give_up(pool, claimed.lease, claimed.run_id, claimed.sequence).await.unwrap()
    };
    assert!(give_up().await);
    assert!(!give_up().await, "its lease has gone with it");
    assert_eq!(count(pool, "SELECT count(*) FROM callbacks WHERE state = 'failed'").await, 1);
    assert_eq!(count(pool, "SELECT count(*) FROM jobs").await, 0);
    assert_eq!(count(pool, "SELECT count(*) FROM callback_attempts").await, 0, "no try was made");
}

#[tokio::test]
async fn an_unmark_undoes_neither_a_claim_nor_a_later_publishing() {
    let database = Database::fresh().await;
    let pool = database.pool();
    begin(pool, &new_run(client(pool, "bank").await)).await;
    let first = published(pool).await.pop().unwrap();
    assert_eq!(jobs::unmark(pool, &[(first.job_id, first.publish_no)]).await.unwrap(), 1);
    let second = published(pool).await.pop().unwrap();
    assert_eq!(jobs::unmark(pool, &[(first.job_id, first.publish_no)]).await.unwrap(), 0);
    claim(pool, &second, LEASE).await.unwrap();
    assert_eq!(jobs::unmark(pool, &[(second.job_id, second.publish_no)]).await.unwrap(), 0);
}

#[tokio::test]
async fn only_what_is_unclaimed_for_ten_seconds_is_published_again_and_its_pause_doubles() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    begin(pool, &new_run(owner)).await;
    begin(pool, &new_run(owner)).await;
    assert_eq!(published(pool).await.len(), 2);
    let lane = Lane::RunsNormal;
    assert_eq!(jobs::missing_jobs(pool, lane).await.unwrap(), 0);
    time_passes(pool, 11).await;
    assert_eq!(jobs::missing_jobs(pool, lane).await.unwrap(), 2);
    assert_eq!(jobs::republish(pool, lane, 1).await.unwrap().len(), 1, "no more than are missing");
    assert_eq!(jobs::missing_jobs(pool, lane).await.unwrap(), 1);
    time_passes(pool, 11).await;
    let again = jobs::republish(pool, lane, 9).await.unwrap();
    assert_eq!(again.len(), 1, "the first one's pause has doubled");
    assert_eq!(again[0].publish_no, 2);
}

#[tokio::test]
async fn a_finished_run_owes_one_callback_and_a_later_event_replaces_it() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let mut run = new_run(owner);
    run.callback_url = Some("https://callbacks.example/".into());
    begin(pool, &run).await;
    let job = published(pool).await.pop().unwrap();
    let failed = Finish { errors: vec![ErrorCode::OcrFailed], worker: "worker".into(), ..Finish::default() };
    let lease = claim(pool, &job, LEASE).await.unwrap().lease;
    assert!(finish(pool, lease, run.run_id, &failed).await.unwrap().unwrap().callback_owed);

    let retrier = shared::store::retry::Retrier {
        actor: "key",
        operator: false,
        ip_address: None,
        trace_context: &run.trace_context,
        max_age: Duration::from_secs(60),
    };
    let generation = shared::store::retry::begin(pool, run.run_id, owner, &retrier).await.unwrap();
    assert_eq!(generation, Some(2));
    let again = published(pool).await.into_iter().find(|job| job.lane == Lane::RunsNormal).unwrap();
    let lease = claim(pool, &again, LEASE).await.unwrap().lease;
    finish(pool, lease, run.run_id, &accepted()).await.unwrap().unwrap();

    let states: Vec<(i32, String, String)> =
        sqlx::query_as("SELECT sequence, type, state FROM callbacks ORDER BY sequence").fetch_all(pool).await.unwrap();
    let expected = [(1, "run.failed", "superseded"), (2, "run.completed", "pending")];
    assert_eq!(states, expected.map(|(n, kind, state)| (n, kind.to_owned(), state.to_owned())));
    assert_eq!(count(pool, "SELECT count(*) FROM jobs WHERE kind = 'callback'").await, 1);
    let body: String =
        sqlx::query_scalar("SELECT body FROM callbacks WHERE sequence = 2").fetch_one(pool).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["data"]["verdict"], true);
    assert_eq!(body["sequence"], 2);
}

#[tokio::test]
async fn impossible_rows_are_refused() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let run_id = begin(pool, &new_run(client(pool, "bank").await)).await;
    for change in [
        "status = 'success', stage = 'done', completed_at = now()",
        "completed_at = now()",
        "stage = 'done'",
        "error_code = 'OCR_FAILED'",
        "status = 'error', stage = 'done', completed_at = now()",
        "extracted_fio = 'x'",
        "document_key = NULL",
    ] {
        let statement = format!("UPDATE verification_runs SET {change} WHERE run_id = $1");
        let changed = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(run_id).execute(pool).await;
        assert!(changed.is_err(), "{change}");
    }
}
