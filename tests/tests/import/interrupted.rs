//! An import that is killed or told to stop is gone on with by the same command, and nothing is lost or doubled.

use harness::old_tree::runs;
use harness::records::count;

use super::house::{House, said};

const RUNS: usize = 1500;

/// Waits until some runs are in the record.
async fn some_are_there(house: &House) {
    harness::until::until("run in the record", async || {
        let there = count(house.pool(), "SELECT count(*) FROM verification_runs").await;
        (there > 0).then_some(())
    })
    .await;
}

async fn goes_on(house: &House, before: i64) {
    assert!((1..RUNS as i64).contains(&before), "{before} of {RUNS}: it was not interrupted in the middle");
    let again = house.import(&[]).await;
    let (imported, exists) = (again.count("imported"), again.count("exists"));
    assert_eq!((again.status, imported + exists), (0, RUNS), "{}", again.told);
    assert!(exists >= usize::try_from(before).unwrap() && imported > 0);
    let held = house.held().await;
    assert_eq!((held["verification_runs"], held["counted"]), (RUNS as i64, RUNS as i64));
    let documents = "SELECT count(*) FROM verification_runs WHERE document_key IS NOT NULL";
    assert_eq!(count(house.pool(), documents).await, held["files"], "files that no run names");
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_where_it_was() {
    let house = House::new().await;
    house.write(&runs(7, RUNS).collect::<Vec<_>>());
    let mut child = house.command(&[]).stdout(std::process::Stdio::null()).spawn().unwrap();
    some_are_there(&house).await;
    child.kill().await.unwrap();
    let before = count(house.pool(), "SELECT count(*) FROM verification_runs").await;
    goes_on(&house, before).await;
}

#[tokio::test]
async fn told_to_stop_it_ends_in_order_and_goes_on_where_it_was() {
    let house = House::new().await;
    house.write(&runs(8, RUNS).collect::<Vec<_>>());
    let child = house.command(&[]).spawn().unwrap();
    let pid = child.id().unwrap().to_string();
    some_are_there(&house).await;
    let told = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(told.success());
    let output = child.wait_with_output().await.unwrap();
    let said = said(&output);
    assert_eq!(said.status, 130, "{}", said.told);
    let before = count(house.pool(), "SELECT count(*) FROM verification_runs").await;
    assert_eq!(said.count("imported") as i64, before, "each is told of");
    goes_on(&house, before).await;
}
