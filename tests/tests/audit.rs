//! The audit's chain over the real statements: what was done is sealed in one order, whatever happens at the same
//! moment, and whatever is altered afterwards is found and named by the command line.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use harness::binaries::{command_line, command_output};
use harness::process::Environment;
use harness::records::count;
use harness::services::Database;
use serde_json::{Value, json};
use shared::audit_head::head_key;
use shared::store::Pool;
use shared::store::audit::chain::{self, Sealed};
use shared::store::audit::{self, Event, Read, heads};
use uuid::Uuid;

/// A database with a document store, and the command line on both.
struct House {
    database: Database,
    environment: Environment,
    folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let (database, folder) = (Database::fresh().await, tempfile::tempdir().unwrap());
        let environment = Environment::new()
            .with("DATABASE_URL", database.url())
            .with("STORAGE_URL", format!("file://{}", folder.path().display()))
            .with("USER", "aigerim");
        Self { database, environment, folder }
    }

    fn pool(&self) -> &Pool {
        self.database.pool()
    }

    async fn events(&self, count: usize) {
        for number in 0..count {
            audit::add(self.pool(), &event(number)).await.unwrap();
        }
    }

    /// Adds an event whose id is of another time, as one that came late or of another day has it.
    async fn event_of(&self, ago: TimeDelta) -> Uuid {
        let millis = u64::try_from((Utc::now() - ago).timestamp_millis()).unwrap();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        let statement =
            "INSERT INTO audit_events (event_id, actor, action, outcome) VALUES ($1, 'key', 'run.read', 'done')";
        sqlx::query(statement).bind(id).execute(self.pool()).await.unwrap();
        id
    }

    async fn seal(&self) -> Sealed {
        chain::seal(self.pool()).await.unwrap()
    }

    /// What `audit verify` finds: each fault with the number of its link.
    async fn faults(&self) -> Vec<(Option<i64>, String)> {
        let verified = command_output(&["audit", "verify", "--json"], &self.environment).await.unwrap();
        let told: Value = serde_json::from_slice(&verified.stdout).unwrap();
        let faults: Vec<_> = told["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| (fault["number"].as_i64(), fault["fault"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(verified.status.success(), faults.is_empty(), "the exit status says it too: {told}");
        faults
    }

    /// What who owns the tables can do and nobody else.
    async fn as_owner(&self, table: &str, statement: &str) {
        for sql in [
            format!("ALTER TABLE {table} DISABLE TRIGGER USER"),
            statement.to_owned(),
            format!("ALTER TABLE {table} ENABLE TRIGGER USER"),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(self.pool()).await.unwrap();
        }
    }
}

fn event(number: usize) -> Event<'static> {
    Event {
        client_id: Some(Uuid::from_u128(5)),
        actor: "key",
        action: "stats.read",
        run_id: None,
        ip_address: Some("10.0.0.7".parse().unwrap()),
        outcome: "done",
        details: json!({ "number": number, "of": "Справка" }),
    }
}

fn named(faults: &[(i64, &str)]) -> Vec<(Option<i64>, String)> {
    faults.iter().map(|(number, fault)| (Some(*number), (*fault).to_owned())).collect()
}

#[tokio::test]
async fn every_event_is_sealed_once_and_in_one_order_whoever_seals_at_the_same_moment() {
    let house = House::new().await;
    let adding = join_all((0..10).map(|_| house.events(30)));
    let sealing = join_all((0..4).map(|_| async {
        for _ in 0..20 {
            house.seal().await;
        }
    }));
    tokio::join!(adding, sealing);
    while house.seal().await != Sealed::Events(0) {}
    assert_eq!(count(house.pool(), "SELECT count(*) FROM audit_chain").await, 300);
    assert_eq!(
        count(house.pool(), "SELECT count(DISTINCT number) FROM audit_chain WHERE number BETWEEN 1 AND 300").await,
        300
    );
    assert_eq!(house.faults().await, []);
}

#[tokio::test]
async fn an_event_that_comes_late_is_sealed_by_the_next_look_or_the_hourly_one() {
    let house = House::new().await;
    house.events(2).await;
    house.seal().await;
    house.event_of(TimeDelta::minutes(1)).await;
    assert_eq!(house.seal().await, Sealed::Events(1));
    house.event_of(TimeDelta::minutes(30)).await;
    assert_eq!(house.seal().await, Sealed::Events(0), "a look begins two minutes before the last");
    sqlx::query("UPDATE audit_chain_head SET swept_at = swept_at - interval '2 hours'")
        .execute(house.pool())
        .await
        .unwrap();
    assert_eq!(house.seal().await, Sealed::Events(1));
    assert_eq!(house.faults().await, []);
}

#[tokio::test]
async fn a_changed_event_is_named() {
    let house = House::new().await;
    house.events(5).await;
    house.seal().await;
    let third = "(SELECT event_id FROM audit_chain WHERE number = 3)";
    house.as_owner("audit_events", &format!("UPDATE audit_events SET actor = 'nobody' WHERE event_id = {third}")).await;
    assert_eq!(house.faults().await, named(&[(3, "changed")]));
}

#[tokio::test]
async fn an_event_that_was_taken_away_is_named_also_where_its_link_went_with_it() {
    let house = House::new().await;
    house.events(6).await;
    house.seal().await;
    let of = |number| format!("(SELECT event_id FROM audit_chain WHERE number = {number})");
    house.as_owner("audit_events", &format!("DELETE FROM audit_events WHERE event_id = {}", of(2))).await;
    assert_eq!(house.faults().await, named(&[(2, "missing")]));
    house.as_owner("audit_events", &format!("DELETE FROM audit_events WHERE event_id = {}", of(4))).await;
    house.as_owner("audit_chain", "DELETE FROM audit_chain WHERE number = 4").await;
    assert_eq!(house.faults().await, named(&[(2, "missing"), (5, "out_of_order")]));
}

#[tokio::test]
async fn events_in_another_order_are_named() {
    let house = House::new().await;
    house.events(4).await;
    house.seal().await;
    let exchanged = "UPDATE audit_chain SET number = 5 - number WHERE number IN (2, 3)";
    house.as_owner("audit_chain", exchanged).await;
    let faults = house.faults().await;
    assert!(
        faults.contains(&(Some(2), "out_of_order".into())) && faults.contains(&(Some(3), "out_of_order".into())),
        "{faults:?}"
    );
}

#[tokio::test]
async fn a_chain_whose_end_was_cut_off_is_told_by_its_head_and_by_the_days_that_were_told() {
    let house = House::new().await;
    house.event_of(TimeDelta::days(1)).await;
    house.events(3).await;
    house.seal().await;
    let head = heads::owed(house.pool()).await.unwrap().expect("the first day is over");
    assert_eq!(head.number, 4);
    let path = house.folder.path().join(head_key(head.day));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, head.to_json()).unwrap();
    assert_eq!(house.faults().await, []);
    house.as_owner("audit_chain", "DELETE FROM audit_chain WHERE number > 2").await;
    assert_eq!(house.faults().await, named(&[(4, "missing"), (4, "missing")]));
    // Whoever does that would set the head back too; what the store holds says otherwise.
    let back = "UPDATE audit_chain_head SET (number, hash) = (SELECT number, hash FROM audit_chain WHERE number = 2)";
    sqlx::query(back).execute(house.pool()).await.unwrap();
    assert_eq!(house.faults().await.first(), Some(&(Some(4), "missing".to_owned())));
}

#[tokio::test]
async fn a_chain_that_was_made_anew_is_not_the_one_that_was_told() {
    let house = House::new().await;
    house.event_of(TimeDelta::days(1)).await;
    house.seal().await;
    let head = heads::owed(house.pool()).await.unwrap().unwrap();
    heads::keep(house.pool(), &head).await.unwrap();
    assert_eq!(heads::owed(house.pool()).await.unwrap(), None, "a day is told once");
    house.as_owner("audit_events", "UPDATE audit_events SET actor = 'nobody'").await;
    house.as_owner("audit_chain", "DELETE FROM audit_chain").await;
    let anew = "UPDATE audit_chain_head SET number = 0, hash = decode(repeat('00', 32), 'hex'), swept_at = NULL, looked_at = NULL";
    sqlx::query(anew).execute(house.pool()).await.unwrap();
    assert_eq!(house.seal().await, Sealed::Events(1));
    assert_eq!(house.faults().await, named(&[(1, "not_the_head_that_was_told")]));
}

#[tokio::test]
async fn an_old_event_that_was_never_sealed_is_named() {
    let house = House::new().await;
    house.events(1).await;
    house.seal().await;
    house.event_of(TimeDelta::hours(3)).await;
    assert_eq!(house.faults().await, [(None, "unsealed".to_owned())]);
}

#[tokio::test]
async fn months_past_their_term_leave_a_chain_that_is_whole() {
    let house = House::new().await;
    let months = "SELECT make_month_partitions((now() - interval '3 months')::date, now()::date)";
    sqlx::query(months).execute(house.pool()).await.unwrap();
    sqlx::query("UPDATE audit_chain_head SET first_month = (now() - interval '3 months')::date")
        .execute(house.pool())
        .await
        .unwrap();
    for days in [61, 62, 1] {
        house.event_of(TimeDelta::days(days)).await;
    }
    house.seal().await;
    assert_eq!(house.faults().await, []);
    // All that is older than today's month, as its term would have it; what is of this day or the month stays.
    let partitions = "SELECT relname::text FROM pg_class JOIN pg_inherits ON inhrelid = oid
        WHERE inhparent IN ('audit_events'::regclass, 'audit_chain'::regclass)
          AND right(relname, 7) < to_char(now() AT TIME ZONE 'UTC' - interval '1 day', 'YYYY_MM')";
    let old: Vec<String> = sqlx::query_scalar(partitions).fetch_all(house.pool()).await.unwrap();
    assert!(!old.is_empty());
    for partition in old {
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {partition}"))).execute(house.pool()).await.unwrap();
    }
    assert_eq!(house.faults().await, []);
}

#[tokio::test]
async fn reads_by_one_key_are_one_event_in_ten_minutes_whichever_process_adds_them() {
    let house = House::new().await;
    let read = |action, run: u128| Read {
        client_id: Uuid::from_u128(5),
        actor: Uuid::from_u128(6),
        action,
        run_id: Uuid::from_u128(run),
        ip_address: None,
    };
    let reads = [read("run.read", 1), read("run.read", 1), read("pages.read", 1), read("run.read", 2)];
    audit::add_reads(house.pool(), &reads).await.unwrap();
    audit::add_reads(house.pool(), &reads).await.unwrap();
    assert_eq!(count(house.pool(), "SELECT count(*) FROM audit_events").await, 3);
}

#[tokio::test]
async fn the_command_line_lists_events_and_keeps_that_it_did() {
    let house = House::new().await;
    house.events(3).await;
    let listed =
        command_line(&["audit", "list", "--action", "stats.read", "--limit", "2", "--json"], &house.environment);
    let listed: Value = serde_json::from_slice(&listed.await.unwrap().stdout).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["details"]["number"], 2, "newest first");
    let looked: Vec<String> = sqlx::query_scalar("SELECT actor FROM audit_events WHERE action = 'audit.listed'")
        .fetch_all(house.pool())
        .await
        .unwrap();
    assert_eq!(looked, ["command line: aigerim"]);
}
