//! The plan of `make chaos` against a broker of three nodes, each of which is killed once a round.

use std::time::Duration;

use harness::chaos::{Options, run};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "how long recovery took is what a long run is also for")]
async fn with_broker_nodes_killed_in_turn_nothing_is_lost_doubled_wrong_or_stuck() {
    let options = Options { nodes: 3, ..Options::new(20_261_122, Duration::from_secs(300)) };
    let report = run(&options).await.expect("it can be attacked, and others lead the queues of a killed node");
    eprintln!("{report}");
    assert!(report.kept(), "{report}");
    assert!(report.leaders_moved > 0, "no node that was killed led a queue: {report}");
}
