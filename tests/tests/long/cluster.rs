//! A broker of three nodes, of which one is killed at a time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::chaos::{Options, run};
use harness::own_services::{Action, Kept, OwnServices};
use shared::queue::{Broker, publish_jobs};
use shared::settings::Secret;
use shared::store::jobs::{Lane, PublishedJob};
use tokio::task::{JoinSet, block_in_place};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

/// How long after a node was killed publishers come, one after the other, so that some meet an election.
const COMING: Duration = Duration::from_secs(1);
/// How soon each must be heard: long before an operator brings the node back.
const HEARD: Duration = Duration::from_secs(15);

/// The plan of `make chaos`, in which each node is killed once a round.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "how long recovery took is what a long run is also for")]
async fn with_broker_nodes_killed_in_turn_nothing_is_lost_doubled_wrong_or_stuck() {
    let options = Options { nodes: 3, ..Options::new(20_261_122, Duration::from_secs(300)) };
    let report = run(&options).await.expect("it can be attacked, and others lead the queues of a killed node");
    eprintln!("{report}");
    assert!(report.kept(), "{report}");
    assert!(report.leaders_moved > 0, "no node that was killed led a queue: {report}");
}

/// A process that opened its session while the queue's leader was still thought to be on the dead node was refused
/// everything until that node came back.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "whether an election was met is a matter of chance")]
async fn whoever_comes_while_leaders_move_can_publish_though_the_dead_node_stays_away() {
    let own = block_in_place(|| OwnServices::with_nodes(3)).expect("all start");
    let stop = CancellationToken::new();
    let (mut first, _) = Broker::start(address(&own, own.nodes[0]), "rb-ocr", "first", stop.clone());
    first.next_session().await.expect("it declares the queues");
    let queues = block_in_place(|| own.queues()).expect("the broker answers");
    assert!(queues.iter().all(|kept| kept.members.len() == 3 && kept.online.len() == 3), "{queues:?}");
    let leader = leader(&queues);
    let other = own.nodes[leader % 3];

    let mut publishers = JoinSet::new();
    block_in_place(|| {
        std::thread::scope(|scope| {
            let killing = scope.spawn(|| own.act_on_node(leader, Action::Crash));
            let until = Instant::now() + COMING;
            while Instant::now() < until {
                publishers.spawn(publish(address(&own, other), stop.clone()));
                std::thread::sleep(Duration::from_millis(20));
            }
            killing.join().expect("the thread ends").expect("it can be killed");
        });
    });
    let came = publishers.len();
    let mut refused = 0;
    let all = async {
        while let Some(tries) = publishers.join_next().await {
            refused += usize::from(tries.expect("it ends") > 1);
        }
    };
    let heard = tokio::time::timeout(HEARD, all).await;
    eprintln!("{came} came, {refused} of them were refused at first");
    assert!(heard.is_ok(), "after {} s some of {came} publishers are refused still", HEARD.as_secs());
    stop.cancel();
}

/// A process's way to publish one job, as the relay goes it: again until it is taken. How often it was tried.
async fn publish(url: Secret, stop: CancellationToken) -> usize {
    let (mut broker, _) = Broker::start(url, "rb-ocr", "publisher", stop);
    let mut job = PublishedJob {
        job_id: Uuid::new_v4(),
        run_id: Uuid::new_v4(),
        lane: Lane::RunsNormal,
        publish_no: 0,
        trace_context: None,
    };
    loop {
        job.publish_no += 1;
        let session = broker.next_session().await.expect("the supervisor goes on");
        if publish_jobs(&session, std::slice::from_ref(&job)).await.publishings.is_empty() {
            return usize::try_from(job.publish_no).expect("it is positive");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn leader(queues: &[Kept]) -> usize {
    queues.iter().find(|kept| kept.queue == "rb-ocr.runs.normal").expect("the queue was declared").leader
}

fn address(own: &OwnServices, node: SocketAddr) -> Secret {
    let mut url: Url = own.services.amqp_url.parse().expect("a URL");
    url.set_port(Some(node.port())).expect("it has a host");
    Secret::new(url)
}
