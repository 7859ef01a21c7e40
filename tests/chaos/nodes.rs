//! A node of the broker that goes away and comes back: what its cluster must do meanwhile.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::block_in_place;

use crate::own_services::{Action, Kept, OwnServices, Service};

/// What the cluster may take to elect leaders, or a node that came back to keep its queues again, on a busy machine.
const SETTLES: Duration = Duration::from_secs(60);

/// A node that was killed.
#[derive(Clone, Copy, Debug)]
pub struct Killed {
    /// When.
    pub at: Instant,
    /// Queues that it had led and another leads since.
    pub moved: usize,
}

/// Kills a node, sees its queues led by others, and starts it again.
///
/// # Errors
/// A queue was not kept by all nodes before, stays without a leader, or is not kept by all afterwards.
pub async fn kill(own: &OwnServices, node: usize, lasts: Duration) -> anyhow::Result<Killed> {
    // Those that another fault kept from it come first.
    let before = whole(own, "each queue is kept by all nodes")?;
    ensure!(!before.is_empty(), "the broker has no quorum queue");
    block_in_place(|| own.act_on_node(node, Action::Crash))?;
    let at = Instant::now();
    let led = |queues: &[Kept]| queues.iter().filter(|kept| kept.leader == node).count();
    until(own, "others lead the queues of a killed node", |queues| queues.len() == before.len() && led(queues) == 0)?;
    tokio::time::sleep(lasts.saturating_sub(at.elapsed())).await;
    block_in_place(|| own.act_on_node(node, Action::Start))?;
    whole(own, "a node that came back keeps its queues")?;
    Ok(Killed { at, moved: led(&before) })
}

/// Kills all nodes but this one, which may not go on alone, and starts them again.
///
/// # Errors
/// The cluster is not whole afterwards.
pub async fn leave_alone(own: &OwnServices, node: usize, lasts: Duration) -> anyhow::Result<()> {
    for other in (1..=own.nodes.len()).filter(|other| *other != node) {
        block_in_place(|| own.act_on_node(other, Action::Crash))?;
    }
    tokio::time::sleep(lasts).await;
    block_in_place(|| own.act(Service::RabbitMq, Action::Start))?;
    whole(own, "a cluster that was in the minority is whole").map(drop)
}

/// The broker's queues, as soon as all nodes keep each.
fn whole(own: &OwnServices, what: &str) -> anyhow::Result<Vec<Kept>> {
    let all = own.nodes.len();
    until(own, what, |queues| queues.iter().all(|kept| kept.members.len() == all && kept.online.len() == all))
}

/// The broker's queues, as soon as they are so.
fn until(own: &OwnServices, what: &str, so: impl Fn(&[Kept]) -> bool) -> anyhow::Result<Vec<Kept>> {
    let deadline = Instant::now() + SETTLES;
    loop {
        let queues = block_in_place(|| own.queues()).with_context(|| what.to_owned())?;
        if so(&queues) {
            return Ok(queues);
        }
        ensure!(Instant::now() < deadline, "not within {} s: {what}: {queues:?}", SETTLES.as_secs());
    }
}
