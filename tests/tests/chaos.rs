//! The short form of `make chaos`.

use std::time::Duration;

use harness::chaos::{Options, run};

#[tokio::test(flavor = "multi_thread")]
async fn under_faults_nothing_is_lost_doubled_wrong_or_stuck() {
    let report = run(&Options::new(20_261_122, Duration::from_secs(120))).await.expect("it can be attacked");
    assert!(report.kept(), "{report}");
}
