//! The one thread that forks (the module above says why).

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Order {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<Child>>,
}

/// A handle on the thread; it ends with the last clone.
#[derive(Clone)]
pub(super) struct Spawner {
    // Bounded by the sandbox's slots: an order is given only by who holds one.
    orders: mpsc::Sender<Order>,
}

impl Spawner {
    pub(super) fn start() -> io::Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        std::thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            for Order { mut command, runtime, answer } in received {
                let _in_runtime = runtime.enter();
                // A child nobody waits for any more is killed by its `kill_on_drop`.
                drop(answer.send(command.spawn()));
            }
        })?;
        Ok(Self { orders })
    }

    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts programs has ended");
        let (answer, answered) = oneshot::channel();
        let order = Order { command, runtime: Handle::current(), answer };
        self.orders.send(order).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}
