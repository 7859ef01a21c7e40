//! The operators' hands: what `rb-ocr jobs`, `dead`, `pause` and `resume` do to real rows, and what they refuse.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::time::Duration;

use harness::binaries::command_line;
use harness::process::Environment;
use harness::records::{begin, client, new_run, worker_is_alive};
use harness::services::Database;
use serde_json::Value;
use shared::domain::{ErrorCode, Status};
use shared::store::finish::{Finish, finish};
use shared::store::jobs::{self, Lane, PublishedJob, RunClaim, RunTerms};
use shared::store::{Pool, dead_jobs, runs};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);

struct House {
    database: Database,
    environment: Environment,
}

impl House {
    async fn new() -> Self {
        let database = Database::fresh().await;
        let environment =
            Environment::new().with("DATABASE_URL", database.url()).with("USER", "aigerim").with("SUDO_USER", "");
        Self { database, environment }
    }

    fn pool(&self) -> &Pool {
        self.database.pool()
    }

    /// The answer of a command.
    async fn told(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = command_line(&arguments, &self.environment).await.unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Why a command refused.
    async fn refused(&self, arguments: &[&str]) -> String {
        command_line(arguments, &self.environment).await.expect_err("it refuses").to_string()
    }

    async fn published(&self) -> Vec<PublishedJob> {
        jobs::fill_windows(self.pool()).await.unwrap().jobs
    }

    async fn claim(&self, job: &PublishedJob) -> Option<RunClaim> {
        let terms = RunTerms { owner: "host/1", lease: LEASE, max_attempts: 5, work_budget: Duration::from_secs(900) };
        jobs::claim_runs(self.pool(), &[(job.job_id, job.run_id)], terms).await.unwrap().pop().flatten()
    }

    /// A run that the worker `host/1` holds.
    async fn held(&self) -> (PublishedJob, RunClaim) {
        begin(self.pool(), &new_run(client(self.pool(), "bank").await)).await;
        let job = self.published().await.pop().unwrap();
        let claim = self.claim(&job).await.unwrap();
        (job, claim)
    }

    /// What the audit holds of an action: its authors.
    async fn audited(&self, action: &str) -> Vec<String> {
        let statement = "SELECT actor FROM audit_events WHERE action = $1";
        sqlx::query_scalar(statement).bind(action).fetch_all(self.pool()).await.unwrap()
    }
}

fn failed(code: ErrorCode, dead: bool) -> Finish {
    Finish {
        errors: vec![code],
        dead_reason: dead.then(|| "it crashed its worker 5 times".to_owned()),
        worker: "host/1".into(),
        ..Finish::default()
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|job| job["run_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn jobs_are_listed_by_kind_state_client_and_age_within_a_bound() {
    let house = House::new().await;
    let (_, held) = house.held().await;
    let other = begin(house.pool(), &new_run(client(house.pool(), "other").await)).await.to_string();
    let held = held.run_id.to_string();

    assert_eq!(ids(&house.told(&["jobs", "list"]).await), [held.as_str(), &other]);
    assert_eq!(ids(&house.told(&["jobs", "list", "--state", "leased"]).await), [held.as_str()]);
    assert_eq!(ids(&house.told(&["jobs", "list", "--state", "waiting"]).await), [other.as_str()]);
    assert_eq!(ids(&house.told(&["jobs", "list", "--client", "other"]).await), [other.as_str()]);
    assert!(ids(&house.told(&["jobs", "list", "--kind", "callback"]).await).is_empty());
    assert!(ids(&house.told(&["jobs", "list", "--older-than", "1h"]).await).is_empty());
    let bounded = house.told(&["jobs", "list", "--limit", "1"]).await;
    assert_eq!((ids(&bounded), &bounded["more"]), (vec![held.as_str()], &Value::Bool(true)));

    let shown = house.told(&["jobs", "show", &held]).await;
    assert_eq!(shown["items"][0]["lease_owner"], "host/1");
    assert!(!shown.to_string().contains("Тестова"), "no name is shown: {shown}");
    let unknown = house.refused(&["jobs", "show", &Uuid::nil().to_string()]).await;
    assert!(unknown.contains("there is no job"), "{unknown}");
}

#[tokio::test]
async fn a_job_that_waits_for_its_next_attempt_can_be_made_due_and_one_that_is_held_cannot() {
    let house = House::new().await;
    let (job, claim) = house.held().await;
    let id = job.run_id.to_string();
    let refused = house.refused(&["jobs", "retry", &id]).await;
    assert!(refused.contains("is being worked on by host/1"), "{refused}");

    jobs::retry(house.pool(), claim.lease, Duration::from_secs(600), "OCR_FAILED").await.unwrap();
    assert!(house.published().await.is_empty(), "it waits");
    house.told(&["jobs", "retry", &id]).await;
    let again = house.published().await.pop().unwrap();
    assert_eq!(house.claim(&again).await.unwrap().attempt, 2);
    assert_eq!(house.audited("job.retried").await, ["command line: aigerim"]);
}

#[tokio::test]
async fn a_lease_is_taken_from_a_living_worker_by_force_only_and_that_worker_can_change_nothing() {
    let house = House::new().await;
    let (job, claim) = house.held().await;
    worker_is_alive(house.pool()).await;
    let id = job.run_id.to_string();
    let refused = house.refused(&["jobs", "release", &id]).await;
    assert!(refused.contains("host/1 is alive"), "{refused}");

    house.told(&["jobs", "release", &id, "--force"]).await;
    assert!(
        finish(house.pool(), claim.lease, job.run_id, &failed(ErrorCode::OcrFailed, false)).await.unwrap().is_none()
    );
    assert!(!jobs::retry(house.pool(), claim.lease, Duration::ZERO, "late").await.unwrap());
    assert!(jobs::renew(house.pool(), &[claim.lease], LEASE).await.unwrap().is_empty());
    assert_eq!(runs::find(house.pool(), job.run_id).await.unwrap().unwrap().status, Status::Processing);
    let again = house.published().await.pop().unwrap();
    assert_eq!(house.claim(&again).await.unwrap().attempt, 1, "the attempt that was taken away is not counted");
    assert_eq!(house.audited("job.released").await, ["command line: aigerim"]);
}

#[tokio::test]
async fn a_lease_of_a_worker_that_nobody_sees_is_taken_and_nobodys_is_not() {
    let house = House::new().await;
    let (job, _) = house.held().await;
    let id = job.job_id.to_string();
    house.told(&["jobs", "release", &id]).await;
    let refused = house.refused(&["jobs", "release", &id]).await;
    assert!(refused.contains("nobody holds the job"), "{refused}");
}

#[tokio::test]
async fn a_dead_run_is_tried_again_by_an_operator_whatever_it_ended_with() {
    let house = House::new().await;
    let (job, claim) = house.held().await;
    finish(house.pool(), claim.lease, job.run_id, &failed(ErrorCode::UnknownError, true)).await.unwrap().unwrap();
    let id = job.run_id.to_string();
    assert_eq!(ids(&house.told(&["dead", "list"]).await), [id.as_str()]);
    assert_eq!(house.told(&["dead", "show", &id]).await["client"], "bank");

    assert_eq!(house.told(&["dead", "retry", &id]).await["generation"], 2);
    let again = house.published().await.pop().unwrap();
    let claim = house.claim(&again).await.unwrap();
    assert_eq!((claim.generation, claim.attempt), (2, 1));
    assert_eq!(house.audited("run.retried").await, ["command line: aigerim"]);
    let gone = house.refused(&["dead", "show", &id]).await;
    assert!(gone.contains("there is no dead letter"), "{gone}");
}

#[tokio::test]
async fn a_dead_letter_is_dropped_and_a_message_without_a_job_cannot_be_tried_again() {
    let house = House::new().await;
    let (job_id, run_id) = (Uuid::now_v7(), Uuid::now_v7());
    let letter =
        dead_jobs::NewDeadMessage { job_id: Some(job_id), run_id: Some(run_id), reason: "delivery_limit".into() };
    dead_jobs::keep_messages(house.pool(), &[letter]).await.unwrap();
    let id = job_id.to_string();
    let refused = house.refused(&["dead", "retry", &id]).await;
    assert!(refused.contains("there is nothing to do again"), "{refused}");
    house.told(&["dead", "drop", &id]).await;
    assert!(ids(&house.told(&["dead", "list"]).await).is_empty());
    assert_eq!(house.audited("dead.dropped").await, ["command line: aigerim"]);
}

#[tokio::test]
async fn while_runs_are_paused_none_is_marked_or_claimed_and_what_is_held_is_finished() {
    let house = House::new().await;
    let (job, held) = house.held().await;
    begin(house.pool(), &new_run(client(house.pool(), "bank").await)).await;
    let under_way = house.published().await.pop().unwrap();
    begin(house.pool(), &new_run(client(house.pool(), "bank").await)).await;

    house.told(&["pause", "runs", "--reason", "a bad release"]).await;
    let again = house.refused(&["pause", "runs"]).await;
    assert!(again.contains("by command line: aigerim: a bad release"), "{again}");
    assert!(house.published().await.is_empty(), "the relay marks none");
    assert!(house.claim(&under_way).await.is_none(), "a message that is under way begins none");
    assert_eq!(jobs::missing_jobs(house.pool(), Lane::RunsNormal).await.unwrap(), 0);
    let ended = finish(house.pool(), held.lease, job.run_id, &failed(ErrorCode::OcrFailed, false)).await.unwrap();
    assert!(ended.is_some(), "what a worker holds it finishes");

    assert_eq!(house.told(&["resume", "runs"]).await["reason"], "a bad release");
    assert_eq!(house.published().await.len(), 2, "both go at once, also the one whose message was refused");
    assert_eq!(house.audited("switch.paused").await, ["command line: aigerim"]);
    assert_eq!(house.audited("switch.resumed").await, ["command line: aigerim"]);
    let not_paused = house.refused(&["resume", "runs"]).await;
    assert!(not_paused.contains("runs is not paused"), "{not_paused}");
}

#[tokio::test]
async fn while_callbacks_are_paused_runs_go_on_and_owe_theirs() {
    let house = House::new().await;
    let mut run = new_run(client(house.pool(), "bank").await);
    run.callback_url = Some("https://callbacks.example/".into());
    begin(house.pool(), &run).await;
    house.told(&["pause", "callbacks"]).await;
    let job = house.published().await.pop().unwrap();
    let claim = house.claim(&job).await.unwrap();
    finish(house.pool(), claim.lease, run.run_id, &failed(ErrorCode::OcrFailed, false)).await.unwrap().unwrap();
    assert!(house.published().await.is_empty());
    let owed = house.told(&["jobs", "list", "--kind", "callback"]).await;
    assert_eq!(owed["items"][0]["state"], "waiting");
    let job_id = owed["items"][0]["job_id"].as_str().unwrap().parse().unwrap();
    assert!(jobs::claim_callback(house.pool(), (job_id, run.run_id), "host/1", LEASE).await.unwrap().is_none());
    house.told(&["resume", "callbacks"]).await;
    assert_eq!(house.published().await.pop().unwrap().lane, Lane::Callbacks);
}

#[tokio::test]
async fn a_command_that_finds_no_database_says_so_in_a_sentence() {
    let nowhere = Environment::new().with("DATABASE_URL", "postgres://rb_ocr@127.0.0.1:1/rb_ocr");
    for command in [&["jobs", "list"][..], &["dead", "list"], &["pause", "runs"], &["resume", "runs"]] {
        let refused = command_line(command, &nowhere).await.expect_err("it refuses").to_string();
        assert!(refused.contains("the database cannot be reached"), "{refused}");
    }
}
