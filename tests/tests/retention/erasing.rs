//! What is erased is erased everywhere, and what is not named stays.

use std::process::Stdio;

use shared::retention::{apply_erasures, erasure_list};
use shared::store::erasures::{self, Eraser, Fate, fate_of};
use uuid::Uuid;

use crate::house::{House, Old};

const ERASER: Eraser<'static> = Eraser { actor: "key", ip_address: None, trace_context: "" };
const IIN: &str = "900101300123";

fn of(fio: &'static str, days: i64) -> Old {
    Old { fio, iin: Some(IIN), ..Old::success(days) }
}

fn ids(list: &serde_json::Value) -> Vec<Uuid> {
    list["items"].as_array().unwrap().iter().map(|run| run["run_id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_run_that_is_in_an_archive_only_is_erased_from_it() {
    let house = House::new().await;
    let (bank, other) = (house.client("bank").await, house.client("other").await);
    let erased = house.add(bank, Old { fio: "Стёртов Стёпа Стёпович", ..Old::success(91) }).await;
    let stays = house.add(other, Old::success(91)).await;
    let month = house.month(91);
    house.keep().await;
    assert!(!erasures::erase(house.pool(), erased, other, &ERASER).await.unwrap(), "another client's run");
    assert_eq!(fate_of(house.pool(), erased).await.unwrap(), Some((bank, Fate::Archived)));
    assert!(erasures::erase(house.pool(), erased, bank, &ERASER).await.unwrap());
    assert!(!erasures::erase(house.pool(), erased, bank, &ERASER).await.unwrap(), "once");
    assert_eq!(fate_of(house.pool(), erased).await.unwrap(), Some((bank, Fate::Erased)));
    assert_eq!(house.count("SELECT count(*) FROM audit_events WHERE action = 'run.erased'").await, 1);

    let report = house.keep().await;
    assert_eq!((report.cleared, report.erasures_copied, report.failures), (1, 1, vec![]));
    assert_eq!(house.archived_runs(month).await, [stays]);
    for table in ["ocr_pages", "llm_calls", "callbacks", "callback_attempts", "reviews"] {
        assert_eq!(house.archived(month, table).await.1.len(), 1, "{table}");
    }
    for file in house.archive_files(month) {
        let bytes = std::fs::read(house.store.path().join(shared::archive::folder(month)).join(&file)).unwrap();
        let name = "Стёртов".as_bytes();
        assert!(!bytes.windows(name.len()).any(|window| window == name), "{file} still names the person");
    }
    assert_eq!(house.keep().await.cleared, 0, "nothing is left to do");
}

#[tokio::test]
async fn all_erasures_of_a_night_cost_one_writing_of_a_month() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(house.add(bank, Old::success(91)).await);
    }
    house.keep().await;
    for run_id in &runs[..3] {
        assert!(erasures::erase(house.pool(), *run_id, bank, &ERASER).await.unwrap());
    }
    assert_eq!(house.keep().await.cleared, 3);
    assert_eq!(house.archived_runs(house.month(91)).await, [runs[3]]);
    assert!(house.archive_files(house.month(91)).contains(&"verification_runs.2.parquet".to_owned()));
}

#[tokio::test]
async fn a_persons_runs_are_listed_and_erased_by_their_number_in_database_and_archive() {
    let house = House::new().await;
    let (bank, other) = (house.client("bank").await, house.client("other").await);
    let archived = house.add(bank, of("Тестова Тест Тестовна", 91)).await;
    let here = house.add(bank, Old { document: true, ..of("Другая Тест Тестовна", 2) }).await;
    let others = house.add(other, of("Тестова Тест Тестовна", 2)).await;
    let without = house.add(bank, Old::success(2)).await;
    house.keep().await;
    house.owe(here, "callback").await;

    let person = ["erase", "--client", "bank", "--iin", IIN];
    let refused = house.refused(&person).await;
    assert!(refused.contains("`--yes 2` erases them"), "{refused}");
    let listed = house.listed(&person).await;
    assert_eq!((ids(&listed), &listed["erased"]), (vec![archived, here], &false.into()));
    for secret in [IIN, "Тестов", "Другая", ".pdf"] {
        assert!(!listed.to_string().contains(secret), "no more of a person than was asked: {listed}");
    }
    let wrong = house.refused(&["erase", "--client", "bank", "--iin", IIN, "--yes", "3"]).await;
    assert!(wrong.contains("there are 2 runs now, not 3"), "{wrong}");
    assert_eq!(house.runs().await.len(), 3, "nothing was erased");

    // Their number has changed since they were listed.
    let third = house.add(bank, of("Тестова Тест", 1)).await;
    let changed = house.refused(&["erase", "--client", "bank", "--iin", IIN, "--yes", "2"]).await;
    assert!(changed.contains("there are 3 runs now, not 2"), "{changed}");
    let done = house.told(&["erase", "--client", "bank", "--iin", IIN, "--yes", "3"]).await;
    assert_eq!((ids(&done), &done["erased"]), (vec![archived, here, third], &true.into()));

    let mut stay = vec![others, without];
    stay.sort_unstable();
    assert_eq!(house.runs().await, stay, "other people's and other clients' runs");
    for run_id in [archived, here, third] {
        assert_eq!(fate_of(house.pool(), run_id).await.unwrap(), Some((bank, Fate::Erased)));
    }
    let owed: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT kind, run_id FROM jobs ORDER BY run_id").fetch_all(house.pool()).await.unwrap();
    let erase = |run_id| ("erase".to_owned(), run_id);
    assert_eq!(owed, [erase(archived), erase(here)], "its callback is owed no more, its files' end is");
    let none = house.told(&person).await;
    assert_eq!(none["count"], 0, "what waits to be taken out of the archives is not listed again");
    house.keep().await;
    assert!(house.archived_runs(house.month(91)).await.is_empty());
}

#[tokio::test]
async fn a_name_is_compared_whole_and_as_people_write_it() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let same = house.add(bank, Old { fio: "Қалиев Пётр Іскендірұлы", ..Old::success(3) }).await;
    house.add(bank, Old { fio: "Калиев Петр", ..Old::success(3) }).await;
    house.add(bank, Old { fio: "Калиев Петр Искендирович", ..Old::success(3) }).await;
    let listed = house.listed(&["erase", "--client", "bank", "--fio", "ҚАЛИЕВ  петр іскендірұлы"]).await;
    assert_eq!(ids(&listed), [same]);
    for part in ["Калиев", "%"] {
        let refused = house.refused(&["erase", "--client", "bank", "--fio", part]).await;
        assert!(refused.contains("must be a whole name"), "{refused}");
    }
    let refused = house.refused(&["erase", "--client", "bank", "--iin", "9001"]).await;
    assert!(refused.contains("must be 12 digits"), "{refused}");
    let refused = house.refused(&["erase", "--client", "nobody", "--iin", IIN]).await;
    assert!(refused.contains("there is no client nobody"), "{refused}");
}

#[tokio::test]
async fn a_restored_database_forgets_again_by_the_list_in_the_store() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let erased = house.add(bank, Old { document: true, ..Old::success(3) }).await;
    let stays = house.add(bank, Old::success(3)).await;
    assert!(erasures::erase(house.pool(), erased, bank, &ERASER).await.unwrap());
    assert_eq!(house.keep().await.erasures_copied, 1);
    let known = house.told(&["erasures", "apply", "--from-store"]).await;
    assert_eq!(known["known"], 1);

    // The database is lost; an older state of it had the run.
    let restored = House { store: house.store, documents: house.documents, ..House::new().await };
    sqlx::query("INSERT INTO clients (client_id, name) VALUES ($1, 'bank')")
        .bind(bank)
        .execute(restored.pool())
        .await
        .unwrap();
    let ids = [
        (restored.add(bank, Old { document: true, ..Old::success(3) }).await, erased),
        (restored.add(bank, Old::success(3)).await, stays),
    ];
    for (made, id) in ids {
        for table in ["verification_runs", "ocr_pages", "callbacks"] {
            let change = format!("UPDATE {table} SET run_id = $2 WHERE run_id = $1");
            sqlx::query(sqlx::AssertSqlSafe(change)).bind(made).bind(id).execute(restored.pool()).await.unwrap();
        }
    }
    let applied = restored.told(&["erasures", "apply", "--from-store"]).await;
    assert_eq!((&applied["erasures"], &applied["erased"]), (&1.into(), &1.into()), "{applied}");
    assert_eq!(restored.runs().await, [stays]);
    assert_eq!(fate_of(restored.pool(), erased).await.unwrap(), Some((bank, Fate::Erased)));
    let day = restored.now.date_naive();
    let list = erasure_list::read(&restored.documents, day).await.unwrap();
    let when: chrono::DateTime<chrono::Utc> =
        sqlx::query_scalar("SELECT erased_at FROM erasures").fetch_one(restored.pool()).await.unwrap();
    assert_eq!((list[0].run_id, list[0].erased_at), (erased, when), "when it was erased first");
    // Again, and of one that is not there.
    let mut list = list;
    list.push(erasures::Erasure { run_id: Uuid::now_v7(), ..list[0].clone() });
    let again = apply_erasures(restored.pool(), &list).await.unwrap();
    assert_eq!((again.erased, again.noted, again.known), (0, 1, 1));
}

#[tokio::test]
async fn the_list_in_the_store_only_grows() {
    let house = House::new().await;
    let bank = house.client("bank").await;
    let day = house.now.date_naive();
    let lost =
        erasures::Erasure { run_id: Uuid::now_v7(), client_id: bank, erased_at: house.now, erased_by: "key".into() };
    erasure_list::write(&house.documents, day, std::slice::from_ref(&lost)).await.unwrap();
    let run_id = house.add(bank, Old::success(3)).await;
    assert!(erasures::erase(house.pool(), run_id, bank, &ERASER).await.unwrap());
    house.keep().await;
    let list = erasure_list::read(&house.documents, day).await.unwrap();
    assert_eq!(list.iter().map(|erasure| erasure.run_id).collect::<Vec<_>>(), [lost.run_id, run_id]);
    let file = house.store.path().join("broken.jsonl");
    std::fs::write(&file, erasure_list::text(&list) + "{\"run_id\"").unwrap();
    let refused = house.refused(&["erasures", "apply", file.to_str().unwrap()]).await;
    assert!(refused.contains("line 3") && refused.contains("nothing was done"), "{refused}");
}

impl House {
    /// What a command says that ends with another status than 0.
    pub async fn listed(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = std::process::Command::new(harness::binaries::path("rb-ocr").unwrap());
        command.args(arguments).arg("--json").env_clear().stderr(Stdio::null());
        command.env("DATABASE_URL", self.database.url());
        command.env("STORAGE_URL", format!("file://{}", self.store.path().display()));
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(!output.status.success(), "a list that is to be confirmed is no success");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
