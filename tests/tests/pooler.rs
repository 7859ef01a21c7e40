//! The whole behind a real PgBouncer in transaction mode, which Debian 12 has in a version that knows no prepared
//! statements: many clients share few connections, and nobody meets what another prepared.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use futures::future::join_all;
use harness::caller::{answer, valid_form};
use harness::papers;
use harness::pooler::Pooler;
use harness::services::Database;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Ocr};
use harness::standins::receiver::Receiver;
use reqwest::StatusCode;
use shared::settings::Settings;
use shared::store::{self, Pool};

/// A pool as a process has it, behind the pooler.
fn pool(pooler: &Pooler, connections: &str) -> Pool {
    let given = [("DATABASE_URL", pooler.url()), ("DATABASE_POOLED", "1"), ("DATABASE_CONNECTIONS", connections)];
    let setting = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    store::connect(&Settings::read(&setting).unwrap().database, "test").unwrap()
}

#[tokio::test]
async fn fifty_clients_on_five_connections_lose_and_double_nothing() {
    let ocr = Ocr::start(Behaviour::reading(&[&papers::certificate()])).await;
    let receiver = Receiver::start([]).await;
    let stack = Stack::plan().pooled(5).apis(2).workers(2).ocr(ocr.base_url()).set("DATABASE_CONNECTIONS", "13");
    let stack = stack.start().await;
    let bank = stack.bank().await;
    let judged = join_all((0..50).map(|_| async {
        let run = bank.judged(valid_form().text("callback_url", receiver.url())).await;
        let id = run["run_id"].as_str().unwrap().to_owned();
        for part in ["", "/pages", "/callbacks", "/audit"] {
            assert_eq!(answer(bank.get(&format!("/v1/runs/{id}{part}"))).await.0, StatusCode::OK, "{part}");
        }
        run["verdict"].as_bool()
    }));
    assert_eq!(judged.await, vec![Some(true); 50]);
    receiver.wait_for(50).await;
    assert_eq!(answer(bank.get("/v1/runs?q=справка")).await.1["items"].as_array().unwrap().len(), 50);
    assert_eq!(answer(bank.get("/v1/stats/daily")).await.0, StatusCode::OK);
    let erased = answer(bank.get("/v1/runs?limit=1")).await.1["items"][0]["run_id"].as_str().unwrap().to_owned();
    let deleted = bank.delete(&format!("/v1/runs/{erased}")).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(stack.count("verification_runs").await, 49);
    let log = stack.pooler.as_ref().unwrap().log();
    assert!(!log.contains("prepared statement"), "{log}");
}

#[tokio::test]
async fn statements_of_many_clients_share_one_connection_whatever_each_prepared() {
    let database = Database::fresh().await;
    let pooler = Pooler::before(database.url(), 1).await.unwrap();
    let pools: Vec<Pool> = (0..4).map(|_| pool(&pooler, "2")).collect();
    let asked = join_all((0..40_i64).map(|number| {
        let pool = &pools[usize::try_from(number % 4).unwrap()];
        async move {
            let one: i64 = sqlx::query_scalar("SELECT $1::bigint").bind(number).fetch_one(pool).await.unwrap();
            let mut transaction = pool.begin().await.unwrap();
            let two: i64 =
                sqlx::query_scalar("SELECT $1::bigint * 2").bind(number).fetch_one(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            (one, two)
        }
    }));
    assert_eq!(asked.await, (0..40).map(|number| (number, number * 2)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_behind_a_pooler_as_anywhere() {
    let database = Database::fresh().await;
    let pooler = Pooler::before(database.url(), 1).await.unwrap();
    let limit = "SELECT current_setting('statement_timeout') || ' ' || current_setting('jit')";
    let told: String = sqlx::query_scalar(limit).fetch_one(&pool(&pooler, "2")).await.unwrap();
    assert_eq!(told, "30s off");
}
