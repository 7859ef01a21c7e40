//! A link between a process and a service: a proxy on the loopback address whose connections can be cut, slowed,
//! held half open and reset. Of a service with several nodes it is the load balancer too: a new connection goes to the
//! next node that accepts it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a link does with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Passes everything on.
    Good,
    /// Passes everything on after this time.
    Slow(Duration),
    /// Keeps connections open, takes new ones, and passes nothing on: what a lost route looks like.
    HalfOpen,
    /// Ends every connection and every new one.
    Cut,
}

/// The link. Gone with it are its connections.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    state: watch::Sender<State>,
    resets: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Link {
    /// A good link to a server, or to any of these.
    ///
    /// # Errors
    /// No port is free.
    pub async fn to(servers: Vec<SocketAddr>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, resets) = (watch::channel(State::Good).0, watch::channel(0).0);
        let task = tokio::spawn(accept(listener, servers, state.subscribe(), resets.subscribe()));
        Ok(Self { address, state, resets, task })
    }

    /// Where to connect instead of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on.
    pub fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    /// Ends every present connection without a goodbye (RST); new ones are as the state says.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
        self.state.send_replace(State::Cut);
    }
}

async fn accept(
    listener: TcpListener,
    mut servers: Vec<SocketAddr>,
    state: watch::Receiver<State>,
    resets: watch::Receiver<u64>,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        tokio::spawn(connection(client, servers.clone(), state.clone(), resets.clone()));
        servers.rotate_left(1);
    }
}

async fn connection(
    client: TcpStream,
    servers: Vec<SocketAddr>,
    mut state: watch::Receiver<State>,
    mut resets: watch::Receiver<u64>,
) {
    resets.mark_unchanged();
    if *state.borrow_and_update() == State::Cut {
        return;
    }
    let Some(server) = first(&servers).await else { return };
    for side in [&client, &server] {
        // A link adds no waiting of its own.
        drop(side.set_nodelay(true));
    }
    let ((client_read, client_write), (server_read, server_write)) = (client.into_split(), server.into_split());
    let both = async {
        tokio::join!(pass(client_read, server_write, state.clone()), pass(server_read, client_write, state.clone()))
    };
    let mut cut = state.clone();
    tokio::select! {
        _ = both => {}
        _ = cut.wait_for(|state| *state == State::Cut) => {}
        _ = resets.changed() => {}
    }
}

/// A connection to the first of these that accepts it.
async fn first(servers: &[SocketAddr]) -> Option<TcpStream> {
    for server in servers {
        if let Ok(stream) = TcpStream::connect(server).await {
            return Some(stream);
        }
    }
    None
}

/// Passes on what comes, until one side ends; the other is then told so.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(length) = from.read(&mut buffer).await else { return };
        if state.wait_for(|state| *state != State::HalfOpen).await.is_err() {
            return;
        }
        let now = *state.borrow();
        if let State::Slow(by) = now {
            tokio::time::sleep(by).await;
        }
        if length == 0 {
            drop(to.shutdown().await);
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut read, mut write) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
            }
        });
        address
    }

    async fn echoed(stream: &mut TcpStream, byte: u8) -> bool {
        let mut answer = [0];
        stream.write_all(&[byte]).await.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == [byte]
    }

    #[tokio::test]
    async fn a_good_link_passes_on_and_a_cut_one_ends_what_is_there_and_what_comes() {
        let link = Link::to(vec![echo().await]).await.expect("a port is free");
        let mut stream = TcpStream::connect(link.address()).await.expect("it listens");
        assert!(echoed(&mut stream, 1).await);
        link.set(State::Cut);
        assert!(!echoed(&mut stream, 2).await);
        let mut next = TcpStream::connect(link.address()).await.expect("it listens still");
        assert!(!echoed(&mut next, 3).await);
        link.set(State::Good);
        let mut last = TcpStream::connect(link.address()).await.expect("it listens");
        assert!(echoed(&mut last, 4).await);
    }

    #[tokio::test]
    async fn a_half_open_link_holds_what_is_sent_until_it_is_good_again() {
        let link = Link::to(vec![echo().await]).await.expect("a port is free");
        let mut stream = TcpStream::connect(link.address()).await.expect("it listens");
        assert!(echoed(&mut stream, 1).await);
        link.set(State::HalfOpen);
        stream.write_all(&[2]).await.expect("the connection is open");
        let mut answer = [0];
        let nothing = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut answer)).await;
        assert!(nothing.is_err(), "it was passed on");
        link.set(State::Good);
        stream.read_exact(&mut answer).await.expect("what was held arrives");
        assert_eq!(answer, [2]);
    }

    #[tokio::test]
    async fn a_reset_ends_present_connections_only() {
        let link = Link::to(vec![echo().await]).await.expect("a port is free");
        let mut stream = TcpStream::connect(link.address()).await.expect("it listens");
        assert!(echoed(&mut stream, 1).await);
        link.reset();
        assert!(!echoed(&mut stream, 2).await);
        let mut next = TcpStream::connect(link.address()).await.expect("it listens");
        assert!(echoed(&mut next, 3).await);
    }

    /// Answers every connection with its own number, and nothing else.
    async fn numbered(number: u8) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                drop(stream.write_all(&[number]).await);
            }
        });
        address
    }

    #[tokio::test]
    async fn a_link_to_several_servers_takes_turns_and_passes_over_one_that_is_away() {
        let away = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
            listener.local_addr().expect("it is bound")
        };
        let link = Link::to(vec![numbered(1).await, away, numbered(3).await]).await.expect("a port is free");
        let mut answers = Vec::new();
        for _ in 0..4 {
            let mut stream = TcpStream::connect(link.address()).await.expect("it listens");
            answers.push(stream.read_u8().await.expect("somebody answers"));
        }
        assert_eq!(answers, [1, 3, 3, 1]);
    }
}
