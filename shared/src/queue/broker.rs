//! The supervisor: owns the connection and builds it anew, for ever, with jitter.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Names, QueueError, Session};
use crate::settings::Secret;

const CONNECT_TIME: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The way to the broker, which is there or is not.
#[derive(Clone, Debug)]
pub struct Broker {
    session: watch::Receiver<Option<Arc<Session>>>,
    names: Names,
}

impl Broker {
    /// Starts the supervisor. It ends, and closes the connection, when `stop` is cancelled.
    pub fn start(
        url: Secret,
        prefix: &str,
        application: &str,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, session) = watch::channel(None);
        let names = Names::new(prefix);
        let task = tokio::spawn(supervise(url, names.clone(), application.to_owned(), sender, stop));
        (Self { session, names }, task)
    }

    /// The names in use.
    pub const fn names(&self) -> &Names {
        &self.names
    }

    /// The session, if there is one now.
    ///
    /// # Errors
    /// There is none.
    pub fn session(&self) -> Result<Arc<Session>, QueueError> {
        self.session.borrow().as_ref().filter(|session| !session.has_ended()).cloned().ok_or(QueueError::Away)
    }

    /// Waits for a session. None: the supervisor has ended.
    pub async fn next_session(&mut self) -> Option<Arc<Session>> {
        let live = |session: &Option<Arc<Session>>| session.as_ref().is_some_and(|session| !session.has_ended());
        self.session.wait_for(live).await.ok()?.clone()
    }
}

async fn supervise(
    url: Secret,
    names: Names,
    application: String,
    sessions: watch::Sender<Option<Arc<Session>>>,
    stop: CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let opening = tokio::time::timeout(CONNECT_TIME, Session::open(url.expose(), names.clone(), &application));
        let opened = tokio::select! {
            () = stop.cancelled() => break,
            opened = opening => opened.unwrap_or(Err(QueueError::TimedOut)),
        };
        match opened {
            Ok(session) => {
                tracing::info!("connected to the broker");
                pause = FIRST_PAUSE;
                let session = Arc::new(session);
                sessions.send_replace(Some(Arc::clone(&session)));
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = session.watch() => {}
                }
                sessions.send_replace(None);
                session.close().await;
            }
            Err(error) => tracing::warn!(%error, "the broker cannot be reached"),
        }
        let jittered = pause.mul_f64(rand::rng().random_range(0.5..1.5));
        pause = (pause * 2).min(LONGEST_PAUSE);
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(jittered) => {}
        }
    }
}
